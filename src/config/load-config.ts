import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { loadContract, type Contract, type ContractSource, type OnRead } from '../contract/contract.ts';
import { ConfigError, type ConfigFault } from '../failures.ts';
import { checkAgentIds } from './check-agent-ids.ts';
import { checkApplication } from './check-application.ts';
import { checkAuthorizationPort, checkBaseUrls } from './check-authorization-service.ts';
import { checkDocumentationPath } from './check-documentation-path.ts';
import { checkFacadePaths, checkMcp } from './check-mcp.ts';
import { checkNativeAuth, checkNativeAuthPath } from './check-native-auth.ts';
import { checkScopes } from './check-scopes.ts';
import { describeIssues } from './describe-issues.ts';
import { checkDownstreamTls } from './check-downstream-tls.ts';
import { checkListenerTls, checkProxyProtocol } from './check-listener.ts';
import { checkSecretFiles } from './check-secret-files.ts';
import { checkTokenEndpoints } from './check-token-endpoints.ts';
import { checkWellKnownPaths } from './check-well-known-paths.ts';
import { substituteEnvironment, type Environment } from './environment.ts';
import { fillDefaults, type FilledSettings } from './fill-defaults.ts';
import { readPem } from './read-pem.ts';
import { resolvePaths } from './resolve-paths.ts';
import { resolveProxies } from './resolve-proxies.ts';
import { applicationSchema, gatewaySchema, type GatewaySettings } from './schema.ts';
import { readMemoryLimit, type MemoryLimit } from '../runtime/memory-limit.ts';
import { isJsonObject } from '../syntax/json.ts';
import { readYaml } from '../syntax/read-yaml.ts';
import { checkAudit } from '../telemetry/audit-output.ts';
import type { OtlpSettings } from '../telemetry/otlp/otlp-settings.ts';
import { readOtlpSettings } from '../telemetry/otlp/read-settings.ts';
import { readKey } from './tree.ts';

/** Everything the gateway needs to run: gateway.yaml with every default filled in, and the contract it names. */
export interface GatewayConfig extends Omit<FilledSettings, 'contract'> {
  readonly contract: Contract;
  /** What the variables of OpenTelemetry ask for; absent when nothing is to be sent. */
  readonly openTelemetry?: OtlpSettings;
}

/** What was loaded, and gateway.yaml as it is written. */
export interface LoadedConfig {
  readonly config: GatewayConfig;
  /** With the values of the environment. */
  readonly tree: unknown;
}

/** How a gateway that runs loads its files. */
export interface LoadOptions {
  /** Changes what gateway.yaml says before it is checked. */
  readonly adapt: (tree: unknown) => unknown;
  /** Called with the path of each file before it is read. */
  readonly onRead: OnRead;
  /** What the defaults that follow the memory are for; default that of this container or machine. */
  readonly memoryLimit?: MemoryLimit | undefined;
  /** What `tokenCache.maxSessions` is where gateway.yaml has none; default as many as fit. */
  readonly defaultMaxSessions?: number | undefined;
}

/**
 * Loads gateway.yaml and the contract it names.
 *
 * @param file the path of gateway.yaml; the paths in it are relative to its folder
 * @param env where `${NAME}` and the variables of proxies and of OpenTelemetry are looked up
 * @param memoryLimit what the defaults that follow the memory are for; default that of this container or machine
 * @throws {ConfigError} with every fault of both files and of these variables
 */
export async function loadConfig(
  file: string,
  env: Environment,
  memoryLimit: MemoryLimit = readMemoryLimit(),
): Promise<GatewayConfig> {
  const { config } = await loadFiles(file, env, { adapt: (tree) => tree, onRead: () => {}, memoryLimit });
  return config;
}

/**
 * Loads the same for a gateway that runs, see {@link loadConfig}.
 *
 * @throws {ConfigError} with every fault of both files
 */
export async function loadFiles(file: string, env: Environment, options: LoadOptions): Promise<LoadedConfig> {
  options.onRead(resolve(file));
  return loadTree(
    { written: await readTree(file), folder: dirname(resolve(file)), isApplication: false },
    env,
    options,
  );
}

/**
 * Loads the configuration of an application, by the same rules. It needs neither a contract nor the addresses of its
 * downstreams as long as nothing asks for them, and nothing listens.
 *
 * @param given the path of gateway.yaml, or what such a file says; paths in it are relative to its folder, or to the
 *   working directory
 * @throws {ConfigError} with every fault
 */
export async function loadApplicationConfig(given: unknown, env: Environment): Promise<GatewayConfig> {
  const isFile = typeof given === 'string';
  const written = isFile ? await readTree(given) : given;
  const folder = isFile ? dirname(resolve(given)) : process.cwd();
  const options = { adapt: (tree: unknown) => tree, onRead: () => {} };
  return (await loadTree({ written, folder, isApplication: true }, env, options)).config;
}

/** What a configuration says, before anything of it is checked. */
interface WrittenConfig {
  readonly written: unknown;
  /** What the paths in it are relative to. */
  readonly folder: string;
  /** True where an application of its own serves, and the gateway does not. */
  readonly isApplication: boolean;
}

async function loadTree(
  { written, folder, isApplication }: WrittenConfig,
  env: Environment,
  options: LoadOptions,
): Promise<LoadedConfig> {
  const { adapt, onRead, memoryLimit = readMemoryLimit(), defaultMaxSessions } = options;
  const faults: ConfigFault[] = [];
  const tree = adapt(substituteEnvironment(written, env, faults));
  const parsed = (isApplication ? applicationSchema : gatewaySchema).safeParse(tree);
  const unset = new Set(faults.map(({ at }) => at));
  faults.push(
    ...describeIssues(parsed.error?.issues ?? [], written, knownKeysAt).filter(({ at }) => !unset.has(at)),
    ...checkAcrossKeys(tree),
    ...checkScopes(tree),
    ...checkAgentIds(tree),
    ...checkProxyProtocol(tree),
    ...(isApplication ? checkApplication(tree) : checkBaseUrls(tree)),
    ...checkAuthorizationPort(parsed.data),
    ...checkNativeAuth(tree).filter(({ at }) => !unset.has(at)),
    ...checkMcp(tree).filter(({ at }) => !unset.has(at)),
    ...checkTokenEndpoints(tree).filter(({ at }) => !unset.has(at)),
  );
  const isContractSet = ![...unset].some((at) => at.startsWith('contract'));
  const contract = isContractSet ? await loadContractOf(tree, folder, faults, onRead) : undefined;
  if (contract !== undefined) {
    faults.push(
      ...checkWellKnownPaths(tree, contract),
      ...checkNativeAuthPath(tree, contract),
      ...checkFacadePaths(tree, contract),
      ...checkDocumentationPath(tree, contract),
    );
  }
  const settings = parsed.data && resolvePaths(parsed.data, folder);
  checkCertificate(settings?.identity.credential.certificate, unset, faults);
  checkListenerTls(settings?.server.tls, 'server.tls', unset, faults);
  checkListenerTls(settings?.authorizationService?.tls, 'authorizationService.tls', unset, faults);
  checkDownstreamTls(settings?.downstreams ?? {}, unset, faults);
  await checkSecretFiles(settings, unset, faults);
  faults.push(...checkAuditOf(settings, unset));
  const downstreams = resolveProxies(noteSetTimes(settings?.downstreams ?? {}, tree), env, faults);
  const openTelemetry = readOtlpSettings(env, faults);
  if (faults.length > 0 || settings === undefined || contract === undefined) {
    throw new ConfigError(faults);
  }
  const largestBodyBytes = largestHeldBody(settings.server.bodyLimit, contract);
  const surroundings = { memoryLimit, largestBodyBytes, defaultMaxSessions };
  const config = {
    ...fillDefaults({ ...settings, downstreams }, surroundings),
    contract,
    ...(openTelemetry && { openTelemetry }),
  };
  return { config, tree };
}

/** Notes of each downstream whether gateway.yaml says `timeout.idle`, because some operations go without the default. */
function noteSetTimes(downstreams: GatewaySettings['downstreams'], tree: unknown): GatewaySettings['downstreams'] {
  return Object.fromEntries(
    Object.entries(downstreams).map(([name, downstream]) => {
      const written = readKey(readKey(readKey(tree, 'downstreams'), name), 'timeout');
      const isIdleSet = readKey(written, 'idle') !== undefined;
      return [name, isIdleSet ? { ...downstream, timeout: { ...downstream.timeout, isIdleSet } } : downstream];
    }),
  );
}

/** Bytes of the largest body that is read as a whole, because something of it is checked. */
function largestHeldBody(bodyLimit: number, { operations }: Contract): number {
  const own = operations.map(({ body, tools, bodyLimitBytes = 0 }) =>
    body === undefined && tools === undefined ? 0 : bodyLimitBytes,
  );
  return own.reduce((largest, bytes) => Math.max(largest, bytes), bodyLimit);
}

/**
 * Loads only the address of the management listener, for a health check that must cost little.
 *
 * @throws {ConfigError} when that part of the file is wrong
 */
export async function loadManagement(file: string, env: Environment): Promise<GatewaySettings['server']['management']> {
  const faults: ConfigFault[] = [];
  const written = { server: readKey(await readTree(file), 'server') };
  const parsed = z
    .object({ server: gatewaySchema.shape.server })
    .safeParse(substituteEnvironment(written, env, faults));
  if (!parsed.success || faults.length > 0) {
    const unset = new Set(faults.map(({ at }) => at));
    const found = describeIssues(parsed.error?.issues ?? [], written, knownKeysAt).filter(({ at }) => !unset.has(at));
    throw new ConfigError([...faults, ...found]);
  }
  return parsed.data.server.management;
}

async function readTree(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError([{ at: file, message: `cannot be read (${(error as NodeJS.ErrnoException).code})` }]);
  }
  const reading = readYaml(text);
  if ('problem' in reading) {
    const at = reading.line === undefined ? file : `${file}:${reading.line}`;
    throw new ConfigError([{ at, message: reading.problem }]);
  }
  return reading.tree ?? {};
}

const CREDENTIALS = ['secret', 'secretFile', 'certificate', 'federatedTokenFile', 'managedIdentity'];

/** Checks the rules about several keys. They read the tree, so that they also work when other keys are wrong. */
function checkAcrossKeys(tree: unknown): ConfigFault[] {
  const identity = readKey(tree, 'identity');
  const credential = readKey(identity, 'credential');
  const given = CREDENTIALS.filter((kind) => readKey(credential, kind) !== undefined);
  const tenants = readKey(identity, 'allowedTenants');
  const hasTenants = Array.isArray(tenants) && tenants.length > 0;
  const manyTenants = readKey(identity, 'tenant') === 'organizations';
  return [
    ...(isJsonObject(credential) && given.length !== 1
      ? [
          {
            at: 'identity.credential',
            message: `found ${given.length === 0 ? 'none' : given.join(' and ')}; allowed: exactly one of ${CREDENTIALS.join(', ')}`,
          },
        ]
      : []),
    ...(manyTenants && !hasTenants && (tenants === undefined || Array.isArray(tenants))
      ? [
          {
            at: 'identity.allowedTenants',
            message: "found nothing; allowed: at least one tenant id, because the tenant is 'organizations'",
          },
        ]
      : []),
    ...(manyTenants && readKey(readKey(readKey(tree, 'tokenCache'), 'redis'), 'entra') !== undefined
      ? [
          {
            at: 'tokenCache.redis.entra',
            message:
              "found a login; allowed: nothing with identity.tenant 'organizations', which names no tenant to log in at",
          },
        ]
      : []),
    ...(!manyTenants && hasTenants
      ? [
          {
            at: 'identity.allowedTenants',
            message: `found a list of ${tenants.length}; allowed: nothing, unless the tenant is 'organizations'`,
          },
        ]
      : []),
  ];
}

async function loadContractOf(
  tree: unknown,
  folder: string,
  faults: ConfigFault[],
  onRead: OnRead,
): Promise<Contract | undefined> {
  const written = applicationSchema.shape.contract.safeParse(readKey(tree, 'contract'));
  const downstreams = readKey(tree, 'downstreams');
  return written.success
    ? loadContract(
        listSources(written.data ?? [], folder),
        new Set(isJsonObject(downstreams) ? Object.keys(downstreams) : []),
        faults,
        onRead,
      )
    : undefined;
}

function listSources(contract: NonNullable<GatewaySettings['contract']>, folder: string): readonly ContractSource[] {
  return typeof contract === 'string'
    ? [{ at: 'contract', file: resolve(folder, contract) }]
    : contract.map(({ document, ...source }, index) => ({
        ...source,
        at: `contract[${index}]`,
        file: resolve(folder, document),
      }));
}

function checkAuditOf(settings: GatewaySettings | undefined, unset: ReadonlySet<string>): ConfigFault[] {
  const audit = settings?.log.audit;
  const fault = audit === undefined || unset.has('log.audit') ? undefined : checkAudit(audit);
  return fault === undefined ? [] : [fault];
}

const CERTIFICATE = 'identity.credential.certificate';

function checkCertificate(
  files: { cert: string; key: string } | undefined,
  unset: ReadonlySet<string>,
  faults: ConfigFault[],
): void {
  if (files === undefined || [...unset].some((at) => at.startsWith(CERTIFICATE))) {
    return;
  }
  const at = CERTIFICATE;
  const certificate = readPem(files.cert, `${at}.cert`, faults, (pem) => new X509Certificate(pem));
  const key = readPem(files.key, `${at}.key`, faults, (pem) => createPrivateKey(pem));
  if (key !== undefined && key.asymmetricKeyType !== 'rsa') {
    faults.push({ at: `${at}.key`, message: `found a key of type ${key.asymmetricKeyType}; allowed: an RSA key` });
    return;
  }
  if (certificate && key && !certificate.checkPrivateKey(key)) {
    faults.push({ at: `${at}.key`, message: 'does not belong to the certificate' });
  }
}

/** Lists the keys that gateway.yaml may have at a path, from the schema itself. */
function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  const schema = path.reduce<unknown>((node, key) => {
    const inner = unwrap(node);
    if (inner instanceof z.ZodObject) {
      return (inner.shape as Record<PropertyKey, unknown>)[key];
    }
    if (inner instanceof z.ZodArray) {
      return inner.element;
    }
    return inner instanceof z.ZodRecord ? inner.valueType : undefined;
  }, gatewaySchema);
  const object = unwrap(schema);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodUnion) {
    // Only one alternative of the unions of gateway.yaml has keys.
    return schema.options.find((option) => option instanceof z.ZodArray || option instanceof z.ZodObject);
  }
  if (schema instanceof z.ZodPipe) {
    return unwrap(schema.in);
  }
  const wrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wrapped ? unwrap(schema.unwrap()) : schema;
}
