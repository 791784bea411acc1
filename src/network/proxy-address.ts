import { isLoopback } from './loopback.ts';

/** Environment variables by name. */
type Variables = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** A proxy that the environment names: its address, and the variable that says so. */
export interface ProxyVariable {
  readonly variable: string;
  readonly address: string;
}

/**
 * Finds the proxy that the environment names for an address, by the rules of proxy-from-env, which axios follows:
 * `https_proxy` or `http_proxy` by the scheme of the address, else `all_proxy`, in lower case before upper case; none
 * for what `no_proxy` lists. A loopback address never goes through a proxy.
 *
 * @returns `undefined` for no proxy; the address need not be one that can be used
 */
export function findProxy(target: URL, env: Variables): ProxyVariable | undefined {
  if (isLoopback(target.hostname) || isExempt(target, readVariable(env, 'no_proxy')?.address ?? '')) {
    return undefined;
  }
  const found = readVariable(env, `${target.protocol.slice(0, -1)}_proxy`) ?? readVariable(env, 'all_proxy');
  return found && { ...found, address: found.address.includes('://') ? found.address : `http://${found.address}` };
}

function readVariable(env: Variables, lower: string): ProxyVariable | undefined {
  const variable = [lower, lower.toUpperCase()].find((name) => (env[name] ?? '') !== '');
  return variable === undefined ? undefined : { variable, address: env[variable] ?? '' };
}

/**
 * True for an address that `no_proxy` lists. Its entries are host names, with a leading `.` or `*` for all that end so,
 * and perhaps a port; `*` alone is every address.
 */
function isExempt(target: URL, list: string): boolean {
  const port = Number(target.port) || DEFAULT_PORTS[target.protocol];
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, host = entry, itsPort] = /^(.+):(\d+)$/.exec(entry) ?? [];
      const fits = /^[.*]/.test(host) ? target.hostname.endsWith(host.replace(/^\*/, '')) : target.hostname === host;
      return fits && (itsPort === undefined || Number(itsPort) === port);
    });
}

/** True for an address that a proxy can have: http or https, a host, perhaps a user and password, and no more. */
export function isProxyAddress(text: string): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && /^\/?$/.test(`${pathname}${search}${hash}`) && isDecodable(username + password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
