/**
 * The header `traceparent`.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header-field-values
 */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/;

/** Reads the trace id of a request's `traceparent`; `undefined` without one, and for one that is not valid. */
export function readTraceId(traceparent: unknown): string | undefined {
  return typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}
