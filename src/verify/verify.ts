import { ConfigError } from '../failures.ts';
import { CoverageRecorder } from './coverage.ts';
import { planDocumentTrials } from './document-trials.ts';
import { loadOperations, type TriedContract } from './load-operations.ts';
import type { Outcome } from './outcome.ts';
import { findBasePath } from './places.ts';
import { planCases } from './plan.ts';
import type { VerifyReport } from './report.ts';
import { toTrial } from './run-cases.ts';
import { GatewayClient } from './send.ts';
import type { Tokens } from './tokens.ts';
import { runTrials } from './trial.ts';
import { planUnknownPaths } from './unknown-paths.ts';
import { planWrongMethods } from './wrong-methods.ts';

/** What is verified, and with what. */
export interface VerifyOptions {
  /** The path of the OpenAPI document. */
  readonly contract: string;
  /** Where the gateway is, or the operations of the contract: {@link findBasePath}. */
  readonly url: URL;
  readonly tokens: Tokens;
  /** Whether to make calls that change data. */
  readonly write: boolean;
  /** Called with each outcome as soon as it is known. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** No answer of any kind comes from the gateway. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/**
 * Walks a contract against a running gateway.
 *
 * @throws {ConfigError} when the contract cannot be used
 * @throws {UnreachableError} when nothing answers
 */
export async function verify({ contract, url, ...options }: VerifyOptions): Promise<VerifyReport> {
  const { root, operations } = await loadOperations(contract);
  if (operations.length === 0) {
    throw new ConfigError([{ at: 'contract', message: 'has no operation to try' }]);
  }
  const client = new GatewayClient(url, locate(url, root));
  try {
    const fault = await client.findFault();
    if (fault !== undefined) {
      throw new UnreachableError(`nothing answers at ${url.origin}${url.pathname} (${fault})`);
    }
    return await tryAll(operations, client, options);
  } finally {
    await client.close();
  }
}

function locate(url: URL, root: TriedContract['root']): string {
  try {
    return findBasePath(url, root);
  } catch (error) {
    throw new ConfigError([{ at: 'contract /servers/0', message: (error as Error).message }]);
  }
}

async function tryAll(
  operations: TriedContract['operations'],
  client: GatewayClient,
  { tokens, write, onOutcome }: Omit<VerifyOptions, 'contract' | 'url'>,
): Promise<VerifyReport> {
  const recorder = new CoverageRecorder(operations);
  const run = { client, tokens, write, onAnswer: recorder.note };
  const outcomes = await runTrials(
    [
      ...planCases(operations).map((planned) => toTrial(planned, run)),
      ...planWrongMethods(operations, { client, write }),
      ...planUnknownPaths(operations, client),
      ...planDocumentTrials(operations, client),
    ],
    onOutcome,
  );
  return { outcomes, coverage: recorder.report() };
}
