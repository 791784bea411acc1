import { conclude, type Finding, type Outcome, type Subject } from './outcome.ts';
import { nameError } from './send.ts';

/** Something to try. */
export interface Trial extends Subject {
  /**
   * Tries it.
   *
   * @throws {Error} when no answer comes, which fails the trial
   */
  readonly run: () => Promise<readonly Finding[]>;
}

/**
 * Runs trials one after the other: later ones may need what earlier ones created, and a verification must not load the
 * gateway.
 *
 * @param onOutcome called with each outcome as soon as it is known
 */
export async function runTrials(
  trials: readonly Trial[],
  onOutcome: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  for (const trial of trials) {
    const begin = performance.now();
    const findings = await runTrial(trial);
    const durationMs = (performance.now() - begin) / Math.max(1, findings.length);
    for (const finding of findings) {
      // Several trials may meet the same case on their way.
      const key = JSON.stringify([finding.subject, finding.case]);
      if (!outcomes.has(key)) {
        const outcome = { ...finding, durationMs };
        outcomes.set(key, outcome);
        onOutcome(outcome);
      }
    }
  }
  return [...outcomes.values()];
}

async function runTrial(trial: Trial): Promise<readonly Finding[]> {
  try {
    return await trial.run();
  } catch (error) {
    return [conclude(trial, undefined, [`expected an answer, got ${nameError(error)}`])];
  }
}
