import { Counter, Gauge, type Registry } from 'prom-client';
import type { CircuitState, WatchedCircuit } from '../resilience/circuit-breaker.ts';

/** What other parts know of the state of the gateway; it is read when somebody reads the page. */
export interface GatewayState {
  /** How many sessions there are now. */
  readonly countSessions: () => number;
  /** Every circuit; always the same ones. */
  readonly watchCircuits: () => readonly WatchedCircuit[];
  /** Milliseconds since the signing keys of Entra were fetched. */
  readonly signingKeysAgeMs: () => number;
  /** Seconds since the epoch at which the credential of the gateway ends; `undefined` when nobody knows. */
  readonly readCredentialExpiry: () => Promise<number | undefined>;
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
  const keysAge: Gauge = new Gauge({
    name: 'gateway_signing_keys_age_seconds',
    help: 'Time since the signing keys of Entra were fetched, or since the start.',
    registers,
    aggregator: 'max',
    collect: () => keysAge.set(state.signingKeysAgeMs() / 1_000),
  });
  const expiry: Gauge = new Gauge({
    name: 'gateway_credential_expiry_timestamp_seconds',
    help: 'When the certificate or the federated token of the gateway ends; absent where nobody knows.',
    registers,
    aggregator: 'min',
    async collect() {
      const seconds = await state.readCredentialExpiry();
      expiry.remove();
      if (seconds !== undefined) {
        expiry.set(seconds);
      }
    },
  });
  registerCircuits(registry, state.watchCircuits);
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
    collect: () =>
      watchCircuits().forEach(({ name, state }) => circuitState.set({ circuit: name }, CIRCUIT_VALUES[state])),
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
