import { LOAD_CORE, startPinned } from '../servers/child-process.ts';
import { runTypeScript } from '../servers/typescript.ts';

/** Who calls, and how many at once. */
export interface VisitOptions {
  readonly url: string;
  readonly tokensFile: string;
  /** The place of the first token in the file; default 0. */
  readonly from?: number;
  readonly count: number;
  /** Requests at a time; default 64. */
  readonly width?: number;
  /** How often each token is used; default once. */
  readonly times?: number;
}

/** Enough for 100,000 first requests on a slow machine; seconds. */
const LIMIT = 900;

/**
 * Sends one GET for each token.
 *
 * @throws {Error} when a single answer was not 200
 */
export async function visitWithEach(options: VisitOptions): Promise<void> {
  const { url, tokensFile, from = 0, count, width = 64, times = 1 } = options;
  const child = await startPinned({
    name: 'the visits',
    core: LOAD_CORE,
    ...runTypeScript('visit.ts', url, tokensFile, from, count, width, times),
    stdout: 'pipe',
  });
  const failures = await child.output(LIMIT);
  if (failures !== '{}') {
    throw new Error(`${url} did not always answer 200: ${failures}`);
  }
}
