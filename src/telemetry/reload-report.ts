import { ConfigError, type ConfigFault } from '../failures.ts';
import type { RecordEvent } from './events.ts';
import type { Logger } from './logger.ts';
import type { ReloadMetrics } from './reload-metrics.ts';

/** Where it is told how a reload ended. */
export interface ReloadReports {
  readonly log: Pick<Logger, 'error' | 'warn'>;
  readonly recordEvent: RecordEvent;
  readonly metrics: ReloadMetrics;
}

/** What a reload changed; keys of gateway.yaml. */
export interface ReloadOutcome {
  readonly changed: readonly string[];
  /** Those that differ from the start and count only after a restart. */
  readonly needRestart: readonly string[];
}

const REFUSED = 'the configuration was not reloaded';

const REMEDY =
  'Correct this, and send SIGHUP again (with --watch, saving the file is enough). The configuration before stays in use meanwhile; a restart would fail.';

const RESTART_REMEDY = 'Restart the gateway when it suits you; until then these keys have their old values.';

/** Reloads, and tells the log, the audit log and the metrics how that ended. It never fails. */
export async function reportReload(reload: () => Promise<ReloadOutcome>, reports: ReloadReports): Promise<void> {
  const { log, recordEvent, metrics } = reports;
  try {
    const { changed, needRestart } = await reload();
    metrics.recordSuccess();
    recordEvent('config.reloaded', { outcome: 'applied', changed, needRestart, faults: undefined });
    if (needRestart.length > 0) {
      const reason = `${needRestart.join(', ')}: only a restart can change this`;
      log.warn({ needRestart, reason, remedy: RESTART_REMEDY }, 'a part of the configuration needs a restart');
    }
  } catch (error) {
    metrics.recordFailure();
    const faults = faultsOf(error);
    faults.forEach(({ at, message }) => log.error({ key: at, reason: message, remedy: REMEDY }, REFUSED));
    const keys = faults.map(({ at }) => at);
    recordEvent('config.reloaded', { outcome: 'refused', changed: undefined, needRestart: undefined, faults: keys });
  }
}

/** A fault of ours must not end a gateway that serves. */
function faultsOf(error: unknown): readonly ConfigFault[] {
  return error instanceof ConfigError
    ? error.faults
    : [{ at: 'gateway', message: `a fault of the gateway itself: ${(error as Error).stack ?? String(error)}` }];
}
