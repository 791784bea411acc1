import { accessSync, constants } from 'node:fs';
import type { ConfigFault } from '../../failures.ts';

/** The environment as `process.env` gives it. */
type Environment = Readonly<Record<string, string | undefined>>;

/** A value, or what is allowed in its place. */
type Reading<T> = { readonly value: T } | { readonly allowed: string };

/** The name of a header (RFC 9110 §5.6.2), and a value that Node sends. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/**
 * Reads variables of one environment, each as its kind. What is wrong becomes a fault that names the variable, and the
 * default counts. No fault quotes a value that could hold a secret. An empty variable counts as one that is not set.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export class VariableReader {
  readonly #env: Environment;
  readonly #faults: ConfigFault[];

  /** @param faults gets one entry for each wrong variable */
  constructor(env: Environment, faults: ConfigFault[]) {
    this.#env = env;
    this.#faults = faults;
  }

  /** True when at least one of the variables has a value. */
  has(...names: readonly string[]): boolean {
    return names.some((name) => this.#find(name) !== undefined);
  }

  /** The name of the first variable with a value; the last name where none has one. */
  firstOf(...names: readonly string[]): string {
    return names.find((name) => this.has(name)) ?? names.at(-1) ?? '';
  }

  /** Reads a word, in any case. */
  word<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    return this.#read(
      name,
      fallback,
      (text) => {
        const value = allowed.find((one) => one === text.toLowerCase());
        return value === undefined ? { allowed: allowed.join(', ') } : { value };
      },
      true,
    );
  }

  /** Reads a whole number of at least 1. */
  count(name: string, fallback: number): number {
    return this.#read(
      name,
      fallback,
      (text) => {
        const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
        return value > 0 ? { value } : { allowed: 'a whole number of at least 1' };
      },
      true,
    );
  }

  /** Reads a number from 0 to 1. */
  share(name: string, fallback: number): number {
    return this.#read(
      name,
      fallback,
      (text) => {
        const value = Number(text);
        return value >= 0 && value <= 1 ? { value } : { allowed: 'a number from 0 to 1' };
      },
      true,
    );
  }

  /** Reads any text. */
  text(name: string, fallback: string): string {
    return this.#find(name) ?? fallback;
  }

  /** Reads an address of http or https. */
  address(name: string, fallback: string): URL {
    return this.#read(name, new URL(fallback), (text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      const isGood = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
      return isGood ? { value: url } : { allowed: 'an http or https address without user and password' };
    });
  }

  /** Reads the path of a file that must be there; `undefined` when the variable is not set. */
  file(name: string): string | undefined {
    return this.#read<string | undefined>(name, undefined, (path) => {
      try {
        accessSync(path, constants.R_OK);
        return { value: path };
      } catch (error) {
        return { allowed: `a file that can be read (${(error as NodeJS.ErrnoException).code})` };
      }
    });
  }

  /** Reads pairs such as `key=value,other=value`, with values in percent-encoding. */
  pairs(name: string): Readonly<Record<string, string>> {
    return this.#read(name, {}, (text) => {
      const pairs = text
        .split(',')
        .filter((pair) => pair.trim() !== '')
        .map(splitPair);
      return pairs.some((pair) => pair === undefined)
        ? { allowed: 'pairs such as key=value,other=value, with values in percent-encoding' }
        : { value: Object.fromEntries(pairs as [string, string][]) };
    });
  }

  /** Reads headers, written as {@link pairs}. */
  headers(name: string): Readonly<Record<string, string>> {
    const headers = this.pairs(name);
    const isGood = Object.entries(headers).every(([key, value]) => HEADER_NAME.test(key) && HEADER_VALUE.test(value));
    if (!isGood) {
      this.#addFault(name, 'allowed: names and values of HTTP headers');
    }
    return isGood ? headers : {};
  }

  #find(name: string): string | undefined {
    const text = this.#env[name]?.trim();
    return text === '' ? undefined : text;
  }

  #read<T>(name: string, fallback: T, read: (text: string) => Reading<T>, mayBeShown = false): T {
    const text = this.#find(name);
    const reading = text === undefined ? { value: fallback } : read(text);
    if ('value' in reading) {
      return reading.value;
    }
    const found = mayBeShown ? `found ${JSON.stringify(text?.slice(0, MAX_SHOWN_CHARACTERS))}; ` : '';
    this.#addFault(name, `${found}allowed: ${reading.allowed}`);
    return fallback;
  }

  /** Signals share variables, and one fault of each is enough. */
  #addFault(at: string, message: string): void {
    if (!this.#faults.some((fault) => fault.at === at)) {
      this.#faults.push({ at, message });
    }
  }
}

/** A fault shows no more of a value. */
const MAX_SHOWN_CHARACTERS = 60;

function splitPair(pair: string): [string, string] | undefined {
  const cut = pair.indexOf('=');
  try {
    const key = decodeURIComponent(pair.slice(0, Math.max(cut, 0)).trim());
    return key === '' ? undefined : [key, decodeURIComponent(pair.slice(cut + 1).trim())];
  } catch {
    return undefined;
  }
}
