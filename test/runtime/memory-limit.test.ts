import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readMemoryLimit } from '../../src/runtime/memory-limit.ts';

const MACHINE = 8 * 1_024 ** 3;
const MIB = 1_024 ** 2;
const V2 = '31 24 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
const v1 = (root: string) => `34 30 0:31 ${root} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory`;
const NO_LIMIT_V1 = '9223372036854771712';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** Reads the limit where these are the files of the system. */
function limitOf(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'memory-limit-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return readMemoryLimit({ root, machineBytes: MACHINE });
}

const self = (cgroup: string, mountinfo: string) => ({ 'proc/self/cgroup': cgroup, 'proc/self/mountinfo': mountinfo });

describe('the memory limit of the container', () => {
  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['a container of version 2', { ...self('0::/', V2), 'sys/fs/cgroup/memory.max': '134217728' }, 128],
    [
      'a service of version 2, in its own group',
      {
        ...self('0::/system.slice/gateway.service', V2),
        'sys/fs/cgroup/system.slice/gateway.service/memory.max': '268435456',
      },
      256,
    ],
    [
      'a group around the own one, which is lower',
      {
        ...self('0::/pod/container', V2),
        'sys/fs/cgroup/pod/memory.max': '134217728',
        'sys/fs/cgroup/pod/container/memory.max': 'max',
      },
      128,
    ],
    [
      'the own group, which is lower than those around it',
      {
        ...self('0::/pod/container', V2),
        'sys/fs/cgroup/pod/memory.max': '536870912',
        'sys/fs/cgroup/pod/container/memory.max': '134217728',
      },
      128,
    ],
    [
      'a container of version 1, whose own group is mounted',
      {
        ...self('4:cpu,memory:/docker/4f', v1('/docker/4f')),
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '134217728',
      },
      128,
    ],
    [
      'a group of version 1 below one with a limit',
      {
        ...self('9:name=systemd:/\n4:memory:/pod/c', v1('/')),
        'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT_V1,
        'sys/fs/cgroup/memory/pod/memory.limit_in_bytes': '268435456',
        'sys/fs/cgroup/memory/pod/c/memory.limit_in_bytes': NO_LIMIT_V1,
      },
      256,
    ],
    [
      'both versions, with memory in version 1',
      {
        ...self('4:memory:/a\n0::/b', `${v1('/')}\n${V2}`),
        'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '134217728',
      },
      128,
    ],
    [
      'a group that is outside of what is mounted here',
      { ...self('0::/../other', V2), 'sys/fs/cgroup/memory.max': '134217728' },
      128,
    ],
    [
      'a mount point with a space',
      {
        ...self('0::/', V2.replace('/sys/fs/cgroup', String.raw`/sys/fs/my\040groups`)),
        'sys/fs/my groups/memory.max': '134217728',
      },
      128,
    ],
  ])('is found for %s', (_what, files, mebibytes) => {
    expect(limitOf(files)).toEqual({ bytes: mebibytes * MIB, setBy: 'cgroup' });
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no limit in version 2', { ...self('0::/', V2), 'sys/fs/cgroup/memory.max': 'max' }],
    [
      'no limit in version 1',
      { ...self('4:memory:/', v1('/')), 'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT_V1 },
    ],
    ['a limit above the memory of the machine', { ...self('0::/', V2), 'sys/fs/cgroup/memory.max': '9663676416' }],
    ['no control groups at all', {}],
    ['files that say something else', { ...self('nonsense', 'nonsense\n - '), 'sys/fs/cgroup/memory.max': '128m' }],
  ])('is the memory of the machine with %s', (_what, files) => {
    expect(limitOf(files)).toEqual({ bytes: MACHINE, setBy: 'machine' });
  });
});
