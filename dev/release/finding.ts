/** What a check of a release found. */
export interface Finding {
  /**
   * `ok`; `later` for what only a release needs and is not there yet; `fault` for what must be corrected before anything
   * is published.
   */
  readonly outcome: 'ok' | 'later' | 'fault';
  /** What was looked at. */
  readonly check: string;
  /** What was seen, and for anything but `ok` what to do about it. */
  readonly says: string;
}

/** Something that is right. */
export function ok(check: string, says: string): Finding {
  return { outcome: 'ok', check, says };
}

/** Something to correct. */
export function fault(check: string, says: string): Finding {
  return { outcome: 'fault', check, says };
}

/** Something that only a release needs: a fault in one, and said between two. */
export function needed(isRelease: boolean, check: string, says: string): Finding {
  return { outcome: isRelease ? 'fault' : 'later', check, says };
}

/** One finding for a list of faults, each a sentence: all of them, or that there is none. */
export function judge(check: string, faults: readonly string[], good: string): Finding {
  return faults.length === 0 ? ok(check, good) : fault(check, faults.join(' '));
}
