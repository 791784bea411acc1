/** A GUID as Entra writes ids, in any case (RFC 9562 §4). */
export const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The value of `traceparent`; what a later version adds behind the four known parts passes (W3C Trace Context §3.2). */
export const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x20-\x7e]*)?$/;

/** What may stand in a challenge parameter so that every known client can read it. */
export const CHALLENGE_SAFE = /^[!#$&'()*+\-./0-9:;<>?@A-Z[\]^_`a-z{|}~]+$/;
