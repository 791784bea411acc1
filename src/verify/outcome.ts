/** What was tried, and with what. */
export interface Subject {
  /** What the trial is about: the name of an operation, a path, or a document of the gateway. */
  readonly subject: string;
  readonly case: string;
}

/** What became of a trial. */
export interface Outcome extends Subject {
  readonly verdict: 'pass' | 'FAIL' | 'skip';
  /** Why it failed or was skipped. */
  readonly why: string | undefined;
  /** The status of the answer that was judged, if there was one. */
  readonly status: number | undefined;
  /** Milliseconds that it took. */
  readonly durationMs: number;
}

/** What a trial finds; how long it took is for whoever runs it to say. */
export type Finding = Omit<Outcome, 'durationMs'>;

/** Passed, or failed for each of the faults. */
export function conclude(
  { subject, case: name }: Subject,
  status: number | undefined,
  faults: readonly string[],
): Finding {
  return faults.length === 0
    ? { subject, case: name, verdict: 'pass', why: undefined, status }
    : { subject, case: name, verdict: 'FAIL', why: faults.join('; '), status };
}

/** Not tried, or tried without learning anything. */
export function skip({ subject, case: name }: Subject, why: string): Finding {
  return { subject, case: name, verdict: 'skip', why, status: undefined };
}
