import { Counter, Gauge, type Registry } from 'prom-client';
import type { CircuitState, WatchedCircuit } from '../resilience/circuit-breaker.ts';

/** What other parts know of the state of the gateway; it is read when somebody reads the page. */
export interface GatewayState {
  /** How many sessions there are now. */
  readonly countSessions: () => number;
  /** How many sessions there can be. */
  readonly readSessionsLimit: () => number;
  /** How many requests may be under way at once. */
  readonly readInFlightLimit: () => number;
  /** Every circuit there is now. */
  readonly watchCircuits: () => readonly WatchedCircuit[];
  /** Milliseconds since the signing keys of Entra were fetched. */
  readonly signingKeysAgeMs: () => number;
  /** When the credential of the gateway ends, in seconds since the epoch; `undefined` when nobody knows. */
  readonly readCredentialExpiry: () => Promise<{ readonly key: string; readonly seconds: number } | undefined>;
  /** Seconds since the epoch at which the first certificate of a listener ends; `undefined` without TLS. */
  readonly tlsCertificateExpirySeconds: () => number | undefined;
}

/** The worst is the highest, so that an alert is `== 2` and the highest of several processes counts for all. */
const CIRCUIT_VALUES: Readonly<Record<CircuitState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Registers the metrics of the state of one process. */
export function registerStateMetrics(registry: Registry, state: GatewayState): void {
  const registers = [registry];
  const sessions: Gauge = new Gauge({
    name: 'gateway_sessions',
    help: 'Callers that are remembered.',
    registers,
    collect: () => sessions.set(state.countSessions()),
  });
  const sessionsLimit: Gauge = new Gauge({
    name: 'gateway_sessions_limit',
    help: 'Callers that can be remembered.',
    registers,
    collect: () => sessionsLimit.set(state.readSessionsLimit()),
  });
  const inFlightLimit: Gauge = new Gauge({
    name: 'gateway_http_requests_in_flight_limit',
    help: 'Requests that may be under way; more are refused.',
    registers,
    collect: () => inFlightLimit.set(state.readInFlightLimit()),
  });
  const keysAge: Gauge = new Gauge({
    name: 'gateway_signing_keys_age_seconds',
    help: 'Time since the signing keys of Entra were fetched, or since the start.',
    registers,
    aggregator: 'max',
    collect: () => keysAge.set(state.signingKeysAgeMs() / 1_000),
  });
  registerExpiry(registry, {
    name: 'gateway_credential_expiry_timestamp_seconds',
    help: 'When the certificate or the federated token of the gateway ends; absent where nobody knows.',
    labelNames: ['key'],
    async read() {
      const found = await state.readCredentialExpiry();
      return { labels: found === undefined ? {} : { key: found.key }, seconds: found?.seconds };
    },
  });
  registerExpiry(registry, {
    name: 'gateway_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of the listener ends; absent without TLS.',
    labelNames: [],
    read: () => ({ labels: {}, seconds: state.tlsCertificateExpirySeconds() }),
  });
  registerCircuits(registry, state.watchCircuits);
}

/** An end with its labels; the time is `undefined` where nobody knows it. */
interface End {
  readonly labels: Record<string, string>;
  readonly seconds: number | undefined;
}

/** An end that may be unknown. Of several processes the earliest counts. */
interface Expiry {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly read: () => End | Promise<End>;
}

function registerExpiry(registry: Registry, { name, help, labelNames, read }: Expiry): void {
  const expiry: Gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    aggregator: 'min',
    async collect() {
      const { labels, seconds } = await read();
      // The one that a gauge without labels has would be 0 after a reset.
      if (labelNames.length === 0) {
        expiry.remove();
      } else {
        expiry.reset();
      }
      if (seconds !== undefined) {
        expiry.set(labels, seconds);
      }
    },
  });
}

function registerCircuits(registry: Registry, watchCircuits: GatewayState['watchCircuits']): void {
  const labelNames = ['circuit'];
  const registers = [registry];
  const circuitState: Gauge = new Gauge({
    name: 'gateway_circuit_state',
    help: 'What a circuit does with calls: 0 closed, it lets them through; 1 half-open, the next one decides; 2 open.',
    labelNames,
    registers,
    aggregator: 'max',
    collect() {
      circuitState.reset();
      watchCircuits().forEach(({ name, state }) => circuitState.set({ circuit: name }, CIRCUIT_VALUES[state]));
    },
  });
  const openings: Counter = new Counter({
    name: 'gateway_circuit_openings_total',
    help: 'How often a closed circuit opened.',
    labelNames,
    registers,
    collect() {
      openings.reset();
      watchCircuits().forEach(({ name, openings: count }) => openings.inc({ circuit: name }, count));
    },
  });
}
