import { Agent, request } from 'undici';
import type { GatewayConfig } from '../config/load-config.ts';
import { isLoopback } from '../network/loopback.ts';
import { toUrl } from '../network/to-url.ts';
import { fail, pass, warn, type Row } from './row.ts';

type Service = GatewayConfig['authorizationService'];

/** The shortest prefix of a network that may be one's own: that of 10.0.0.0/8 and fd00::/8. */
const MIN_PREFIX = 8;

/** What gateway.yaml tells of the listener for engines; nothing without one. */
export function adviseAuthorizationService(service: Service): Row[] {
  return service === undefined ? [] : [adviseCallers(service), adviseTransport(service)];
}

function adviseCallers({ callers, tls }: NonNullable<Service>): Row {
  const check = 'authorization service: callers';
  const wide = callers.filter((cidr) => Number(cidr.split('/')[1] ?? MIN_PREFIX) < MIN_PREFIX);
  if (wide.length === 0) {
    return pass(check, `tokens for the downstreams are handed out to ${callers.join(', ')}`);
  }
  return warn(check, wide.join(', '), {
    reason:
      tls?.clientCa === undefined
        ? 'tokens for the downstreams are handed out to whoever reaches the port with a token of a caller'
        : 'tokens for the downstreams are handed out to whoever has a client certificate and a token of a caller',
    remedy: 'name only the networks of your engines',
    key: 'authorizationService.callers',
  });
}

function adviseTransport({ host, tls }: NonNullable<Service>): Row {
  const check = 'authorization service: transport';
  if (tls !== undefined || isLoopback(host)) {
    return pass(check, tls === undefined ? `${host} is this machine only` : 'TLS');
  }
  return warn(check, `http on ${host}`, {
    reason:
      'the tokens of the callers and those for the downstreams travel in clear between the engines and the gateway',
    remedy: 'set authorizationService.tls, run the gateway beside the engine on a loopback address, or use a mesh',
    key: 'authorizationService.host',
  });
}

/** How the engines of a dialect ask about a call, and what they hear of a refusal. */
interface Probe {
  readonly path: (target: string) => string;
  readonly headers: (method: string, target: string) => Readonly<Record<string, string>>;
  /** True where nothing of the refusal is told. */
  readonly isSilent: boolean;
}

const describedByNginx: Probe['headers'] = (method, target) => ({
  'x-original-method': method,
  'x-original-uri': target,
});

const PROBES: Readonly<Record<string, Probe>> = {
  nginx: { path: () => '/check/nginx', headers: describedByNginx, isSilent: true },
  'nginx, for the refusal': { path: () => '/refusal/nginx', headers: describedByNginx, isSilent: false },
  'forward-auth': {
    path: () => '/check/forward-auth',
    headers: (method, target) => ({ 'x-forwarded-method': method, 'x-forwarded-uri': target }),
    isSilent: false,
  },
  envoy: { path: (target) => `/check/envoy${target}`, headers: () => ({}), isSilent: false },
};

/**
 * Asks the authorization service that runs already about a call without a token, once in each dialect.
 *
 * @param deadlineMs milliseconds for each question
 */
export async function probeAuthorizationService(
  { authorizationService, contract }: Pick<GatewayConfig, 'authorizationService' | 'contract'>,
  deadlineMs: number,
): Promise<Row[]> {
  if (authorizationService === undefined) {
    return [];
  }
  if (authorizationService.tls?.clientCa !== undefined) {
    return [pass('authorization service', 'not tried: only the engines have a client certificate')];
  }
  const { host, port, tls } = authorizationService;
  const url = toUrl(LOOPBACK_OF[host] ?? host, port, tls ? 'https' : 'http');
  // Nothing secret is sent, so that a certificate of another name does no harm.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    return await Promise.all(
      Object.entries(PROBES).map(([dialect, probe]) => ask(dialect, probe, { url, dispatcher, deadlineMs, contract })),
    );
  } finally {
    await dispatcher.destroy();
  }
}

/** How this machine reaches a listener on every address. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

interface Asking extends Pick<GatewayConfig, 'contract'> {
  readonly url: string;
  readonly dispatcher: Agent;
  readonly deadlineMs: number;
}

async function ask(dialect: string, probe: Probe, { url, dispatcher, deadlineMs, contract }: Asking): Promise<Row> {
  const check = `authorization service: ${dialect}`;
  const { method, target, status: expected } = chooseCall(contract);
  const key = 'authorizationService.port';
  try {
    const { statusCode, headers, body } = await request(`${url}${probe.path(target)}`, {
      method: dialect === 'envoy' ? (method as 'GET') : 'GET',
      headers: probe.headers(method, target),
      dispatcher,
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await body.text();
    const isOurs = headers['content-type'] === 'application/problem+json';
    if (statusCode === 403 && isOurs) {
      return pass(check, 'not tried: this machine is not among authorizationService.callers');
    }
    const isRefused = probe.isSilent
      ? statusCode === 401 && text === '' && headers['www-authenticate'] === undefined
      : statusCode === expected && isOurs;
    return isRefused
      ? pass(check, `a call without a token is refused (status ${statusCode})`)
      : fail(check, `a call without a token gets status ${statusCode}`, {
          reason: 'what listens there is not this authorization service',
          remedy: 'stop the other program, use another port, or restart the gateway with this configuration',
          key,
        });
  } catch (error) {
    const { name, code = name } = error as NodeJS.ErrnoException;
    return fail(check, `no answer (${code})`, {
      reason: 'what listens there is not this authorization service',
      remedy: 'stop the other program, or use another port',
      key,
    });
  }
}

/** A call that needs a token, with how it is refused without one; one that leads nowhere where none needs any. */
function chooseCall({ operations }: GatewayConfig['contract']): {
  readonly method: string;
  readonly target: string;
  readonly status: number;
} {
  const found = operations.find(
    ({ access }) => access !== 'anonymous' && access.every(({ caller }) => caller !== 'anyone'),
  );
  return found === undefined
    ? { method: 'GET', target: '/nothing-is-here', status: 404 }
    : { method: found.method, target: found.path.replaceAll(/\{[^}]*\}/g, 'x'), status: 401 };
}
