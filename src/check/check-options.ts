import { ConfigError } from '../failures.ts';
import { findNearest } from '../syntax/edit-distance.ts';

/** What can be checked, by the names of `--only`, in the order of the report. */
export const CHECKS = ['config', 'ports', 'entra', 'clock', 'credential', 'downstreams', 'redis', 'backup'] as const;

/** One of {@link CHECKS}. */
export type CheckName = (typeof CHECKS)[number];

/** The checks that are nothing without the network. */
const ONLINE: ReadonlySet<CheckName> = new Set(['entra', 'clock']);

/** The forms of the report. */
export const REPORT_FORMATS = ['text', 'json', 'junit'] as const;

/** One of {@link REPORT_FORMATS}. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** What the command line asks of a check. */
export interface CheckRequest {
  readonly only: ReadonlySet<CheckName>;
  /** True for nothing that needs the network. */
  readonly offline: boolean;
  readonly format: ReportFormat;
}

/**
 * Reads the options of `check` as the command line has them.
 *
 * @throws {ConfigError} for a value that is not allowed, naming those that are
 */
export function readCheckRequest(options: Readonly<Record<string, string | true>>): CheckRequest {
  const { only = CHECKS.join(','), format = 'text', offline } = options;
  const names = String(only)
    .split(',')
    .map((name) => name.trim());
  const request = {
    only: new Set(names.map((name) => pick('--only', name, CHECKS))),
    offline: offline === true,
    format: pick('--format', String(format), REPORT_FORMATS),
  };
  if (request.offline && [...request.only].every((name) => ONLINE.has(name))) {
    const message = `found ${String(only)}, which is nothing without the network; allowed with --offline: ${listChecks(true)}`;
    throw new ConfigError([{ at: '--only', message }]);
  }
  return request;
}

/** Names the checks, those that need no network or all of them. */
function listChecks(offline: boolean): string {
  return CHECKS.filter((name) => !offline || !ONLINE.has(name)).join(', ');
}

function pick<Allowed extends string>(option: string, found: string, allowed: readonly Allowed[]): Allowed {
  const picked = allowed.find((value) => value === found);
  if (picked === undefined) {
    const nearest = findNearest(found, allowed);
    const hint = nearest !== undefined && nearest.distance <= 2 ? `; did you mean ${nearest.word}?` : '';
    throw new ConfigError([
      { at: option, message: `found ${JSON.stringify(found)}; allowed: ${allowed.join(', ')}${hint}` },
    ]);
  }
  return picked;
}
