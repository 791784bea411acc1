import type { RecordEvent } from '../telemetry/events.ts';
import type { ExchangeReport } from './entra-tokens.ts';
import type { Refusal } from './refusal.ts';

/** Writes the event of an exchange: who got a token for which downstream, or what Entra said instead. */
export function recordExchange(report: ExchangeReport, record: RecordEvent): void {
  const { downstream, agent, principal, correlationId, outcome, refusal, seconds } = report;
  const facts = {
    downstream,
    agent,
    caller: principal.kind,
    tid: principal.tenantId,
    oid: principal.objectId,
    azp: principal.clientId,
    correlationId,
    ms: Math.round(seconds * 10_000) / 10,
  };
  if (outcome === 'token') {
    record('exchange.made', facts);
  } else {
    record('exchange.refused', { ...facts, entra: refusal === undefined ? { class: outcome } : describe(refusal) });
  }
}

/** Words, codes and ids; never a text of Entra's, nor the claims that it asks for. */
function describe({ class: refusalClass, status, error, suberror, codes, traceId }: Refusal): object {
  return { class: refusalClass, status, error, suberror, codes: codes.map((code) => `AADSTS${code}`), traceId };
}
