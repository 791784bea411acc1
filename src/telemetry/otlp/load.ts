import type { OpenTelemetry } from './open-telemetry.ts';
import type { OtlpSettings } from './otlp-settings.ts';

/**
 * Loads the packages of OpenTelemetry and prepares what is to be sent. Without settings nothing is loaded.
 *
 * @param worker which of several workers this process is; its telemetry says so in `service.instance.id`
 * @returns `undefined` without settings
 */
export async function loadOpenTelemetry(
  settings: OtlpSettings | undefined,
  worker?: number,
): Promise<OpenTelemetry | undefined> {
  if (settings === undefined) {
    return undefined;
  }
  const module = await import('./open-telemetry.ts');
  return new module.OpenTelemetry(settings, worker);
}
