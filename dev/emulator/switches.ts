/** A raw error in place of a token, in the fields of Entra's error body. */
export interface Refusal {
  readonly error: string;
  readonly error_codes: readonly number[];
  readonly suberror?: string;
  /** Claims request as JSON text. */
  readonly claims?: string;
  /** HTTP status; default 400. */
  readonly status?: number;
  readonly description?: string;
  /** Value of `Retry-After`; default none. */
  readonly retryAfter?: string;
}

/** An answer that is sent as it stands. */
interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a person or a test may turn while the emulator runs; each holds until it is turned back. */
export interface Switches {
  /** How the token endpoint, the device code endpoint and the native authentication API behave. */
  entra:
    | 'up'
    | 'throttled'
    | 'html503'
    | 'json500'
    | 'empty200'
    | 'garbage'
    /** Answers `delayMs` late. */
    | 'slow'
    /** Never answers. */
    | 'hang'
    /** Breaks the connection. */
    | 'reset';
  /** Whom `entra` is about; confidential clients are those that prove themselves, such as the gateway. */
  outageFor: 'everyone' | 'confidentialClients';
  /** `Retry-After` of a throttled answer; default `60`. */
  retryAfter: string;
  /** Milliseconds for `slow`; default 1000. */
  delayMs: number;
  /** Refuses on-behalf-of and client credentials requests with this error. */
  refuse: Refusal | undefined;
  /** Answers on-behalf-of requests with exactly this. */
  body: RawAnswer | undefined;
  /** `v2`: invalid_grant with a suberror. `v1`: interaction_required. */
  oboErrorStyle: 'v2' | 'v1';
  /** What stands before `Trace ID` in error descriptions. */
  separator: ' ' | '\r\n';
  /** How discovery documents and keys are served; `down` answers 503. */
  keys: 'up' | 'down' | 'hang';
  /** Seconds that tokens for the gateway live; default 3600. */
  tokenLifetimeSeconds: number;
  /** Seconds that tokens for other resources live; default 3600. */
  downstreamTokenLifetimeSeconds: number;
  /** Refuses every client secret as expired. */
  secretExpired: boolean;
  /** Refuses every certificate as revoked. */
  certificateRevoked: boolean;
  /** Seconds between two polls of the device code flow; default 5. */
  deviceCodeInterval: number;
  /** Whether `resource` has to be an App ID URI of the scopes' app (9010010), as it does since March 2026. */
  resourceParameter: 'checked' | 'ignored';
  /**
   * What a renewal without `scope` gets, of which Entra's users report all three: `refused`, 900144; `itself`, 90009, as
   * where an app is client and resource in one; `graph`, a token for Microsoft Graph.
   */
  refreshWithoutScope: 'refused' | 'itself' | 'graph';
  /** Seconds that the continuation tokens of native authentication live; default 600. */
  continuationTokenLifetimeSeconds: number;
}

/** All switches in their resting position. */
export function defaultSwitches(): Switches {
  return {
    entra: 'up',
    outageFor: 'everyone',
    retryAfter: '60',
    delayMs: 1000,
    refuse: undefined,
    body: undefined,
    oboErrorStyle: 'v2',
    separator: ' ',
    keys: 'up',
    tokenLifetimeSeconds: 3600,
    downstreamTokenLifetimeSeconds: 3600,
    secretExpired: false,
    certificateRevoked: false,
    deviceCodeInterval: 5,
    resourceParameter: 'checked',
    refreshWithoutScope: 'refused',
    continuationTokenLifetimeSeconds: 600,
  };
}
