/** What to say about something that is not as it should be. */
export interface Advice {
  /** Why it matters. */
  readonly reason: string;
  readonly remedy: string;
  /** The key of gateway.yaml to look at, where there is one. */
  readonly key?: string | undefined;
}

/** One line of the report: what was checked and what was found. */
export type Row =
  | { readonly status: 'ok'; readonly check: string; readonly found: string }
  | ({ readonly status: 'warn' | 'fail'; readonly check: string; readonly found: string } & Advice);

/** Nothing to do; `found` may hold a remark. */
export function pass(check: string, found: string): Row {
  return { status: 'ok', check, found };
}

/** The gateway works, but not as well or as safely as it could. */
export function warn(check: string, found: string, advice: Advice): Row {
  return { status: 'warn', check, found, ...advice };
}

/** The gateway will not work, or not safely. */
export function fail(check: string, found: string, advice: Advice): Row {
  return { status: 'fail', check, found, ...advice };
}
