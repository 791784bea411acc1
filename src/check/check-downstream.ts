import { Dispatcher } from 'undici';
import { isLoopback } from '../network/loopback.ts';
import { Downstream, type DownstreamSettings } from '../forward/downstream.ts';
import { ProxyError } from '../forward/proxy.ts';
import { explainTrouble } from './explain-trouble.ts';
import { fail, pass, warn, type Row } from './row.ts';

/** A downstream of gateway.yaml, which has no address where only engines call it. */
type ConfiguredDownstream = Omit<DownstreamSettings, 'baseUrl'> & { readonly baseUrl?: string | undefined };

/**
 * Checks that a downstream can be reached the way the gateway will reach it.
 *
 * @param deadlineMs milliseconds
 */
export async function checkDownstream(
  name: string,
  { baseUrl, ...settings }: ConfiguredDownstream,
  deadlineMs: number,
): Promise<Row> {
  const check = `downstream ${name}: reachable`;
  if (baseUrl === undefined) {
    return pass(check, 'not tried: without baseUrl only engines call it');
  }
  const downstream = new Downstream(name, { ...settings, baseUrl }, () => performance.now());
  try {
    // The pool has no `request` of its own, see network/undici.ts.
    const { statusCode } = await Dispatcher.prototype.request.call(downstream.pool, {
      method: 'GET',
      path: downstream.basePath === '' ? '/' : downstream.basePath,
      headers: [...downstream.proxyHeaders],
      signal: AbortSignal.timeout(deadlineMs),
    });
    if (statusCode === 407 && downstream.proxyHeaders.length > 0) {
      throw new ProxyError(statusCode);
    }
    return pass(check, `${baseUrl} answers (status ${statusCode})`);
  } catch (error) {
    const code = readCode(error);
    const found = `${baseUrl} cannot be reached (${code})`;
    const { key, ...trouble } = explainTrouble(code);
    return fail(check, found, { ...trouble, key: `downstreams.${name}.${key ?? 'baseUrl'}` });
  } finally {
    await downstream.destroy();
  }
}

/** Errors that have no code, or one that says nothing. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['TimeoutError', 'deadline exceeded'],
  ['HTTPParserError', 'not HTTP'],
]);

function readCode(error: unknown): string {
  const { name, code } = error as NodeJS.ErrnoException;
  return WORDS.get(name) ?? code ?? 'unknown';
}

/** Whether tokens travel to a downstream encrypted. */
export function adviseDownstream(name: string, { baseUrl }: Pick<ConfiguredDownstream, 'baseUrl'>): Row[] {
  if (baseUrl === undefined) {
    return [];
  }
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol === 'https:' || isLoopback(hostname)) {
    return [];
  }
  const advice = {
    reason: 'the tokens of the users travel in clear to another machine',
    remedy: 'use https, or a proxy with mutual TLS on this machine',
    key: `downstreams.${name}.baseUrl`,
  };
  return [warn(`downstream ${name}: transport`, `http to ${hostname}`, advice)];
}
