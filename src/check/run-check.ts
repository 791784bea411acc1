import type { Environment } from '../config/environment.ts';
import { loadConfig, type GatewayConfig } from '../config/load-config.ts';
import { ConfigError, type ConfigFault } from '../failures.ts';
import { checkDeployment, type Findings } from './check-deployment.ts';
import type { CheckRequest, ReportFormat } from './check-options.ts';
import { renderJson, renderReport, renderXml } from './render-report.ts';
import { fail } from './row.ts';

/** How a check ended; `badConfig` also for whatever fails without the network, because the files can be blamed for it. */
export type CheckVerdict = 'ok' | 'failed' | 'badConfig';

const RENDERERS: Readonly<Record<ReportFormat, (findings: Findings) => string>> = {
  text: (findings) => renderReport([...findings.values()].flat()).join('\n'),
  json: renderJson,
  junit: renderXml,
};

/**
 * Checks a deployment and writes the report.
 *
 * @param file the path of gateway.yaml
 * @throws {ConfigError} when the files are wrong and the report is text; in the other forms their faults are its rows
 */
export async function runCheck(
  file: string,
  env: Environment,
  request: CheckRequest,
  writeLine: (line: string) => void,
): Promise<CheckVerdict> {
  const write = (findings: Findings): void =>
    RENDERERS[request.format](findings)
      .split('\n')
      .forEach((line) => writeLine(line));
  let config: GatewayConfig;
  try {
    config = await loadConfig(file, env);
  } catch (error) {
    if (error instanceof ConfigError && request.format !== 'text') {
      write(new Map([['config', error.faults.map(toRow)]]));
      return 'badConfig';
    }
    throw error;
  }
  const findings = await checkDeployment(config, request);
  write(findings);
  if ([...findings.values()].flat().some(({ status }) => status === 'fail')) {
    return request.offline ? 'badConfig' : 'failed';
  }
  return 'ok';
}

function toRow({ at, message }: ConfigFault): ReturnType<typeof fail> {
  return fail(at, message, {
    reason: 'serve refuses these files, and nothing else was checked',
    remedy: 'correct it, then check again',
    key: at,
  });
}
