import { writeFile } from 'node:fs/promises';
import { ConfigError } from '../failures.ts';
import type { Outcome } from './outcome.ts';
import { formatOutcome, formatSummary, renderJson, renderXml, type VerifyReport } from './report.ts';

/** Where reports go, as the command line says it. */
export interface ReportOptions {
  readonly format?: string | true;
  readonly output?: string | true;
  readonly coverage?: string | true;
}

/** The forms that are written when everything is known; text is written as it comes. */
const RENDERERS: ReadonlyMap<string, (report: VerifyReport) => string> = new Map([
  ['json', renderJson],
  ['junit', renderXml],
]);

/** Writes what a verification finds in the form and to the places that were asked for. */
export class ReportWriter {
  readonly #options: ReportOptions;
  readonly #writeOut: (line: string) => void;
  readonly #lines: string[] = [];

  private constructor(options: ReportOptions, writeOut: (line: string) => void) {
    this.#options = options;
    this.#writeOut = writeOut;
  }

  /**
   * Begins a report; its files are emptied at once, because a long verification must not end in one that cannot be written.
   *
   * @throws {ConfigError} for an unknown form, and for a file that cannot be written
   */
  static async open(options: ReportOptions, writeOut: (line: string) => void): Promise<ReportWriter> {
    const { format = 'text', output, coverage } = options;
    if (format !== 'text' && !RENDERERS.has(String(format))) {
      const message = `must be text, json or junit; found ${String(format)}`;
      throw new ConfigError([{ at: '--format', message }]);
    }
    await writeTo('--output', output, '');
    await writeTo('--coverage', coverage, '');
    return new ReportWriter(options, writeOut);
  }

  /** Takes an outcome as soon as it is known. */
  readonly tell = (outcome: Outcome): void => {
    this.#say(formatOutcome(outcome));
  };

  /**
   * Ends the report.
   *
   * @throws {ConfigError} for a file that cannot be written any more
   */
  async finish(report: VerifyReport): Promise<void> {
    const { output, coverage } = this.#options;
    formatSummary(report).forEach((line) => this.#say(line));
    const document = this.#renderer?.(report) ?? this.#lines.map((line) => `${line}\n`).join('');
    if (this.#isDocumentForOut) {
      this.#writeOut(document.trimEnd());
    }
    await writeTo('--output', output, document);
    await writeTo('--coverage', coverage, `${JSON.stringify(report.coverage, undefined, 2)}\n`);
  }

  get #renderer(): ((report: VerifyReport) => string) | undefined {
    return RENDERERS.get(String(this.#options.format));
  }

  /** A form for programs stands alone on standard output. */
  get #isDocumentForOut(): boolean {
    return this.#renderer !== undefined && this.#options.output === undefined;
  }

  #say(line: string): void {
    this.#lines.push(line);
    if (!this.#isDocumentForOut) {
      this.#writeOut(line);
    }
  }
}

async function writeTo(option: string, file: string | true | undefined, text: string): Promise<void> {
  if (file === undefined) {
    return;
  }
  try {
    await writeFile(String(file), text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([{ at: option, message: `the file ${String(file)} cannot be written (${code})` }]);
  }
}
