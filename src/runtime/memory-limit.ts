import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join, posix } from 'node:path';

/** How much memory this process and those beside it may take together. */
export interface MemoryLimit {
  readonly bytes: number;
  /** Who sets the limit: the control group of a container or a service, or the size of the machine. */
  readonly setBy: 'cgroup' | 'machine';
}

/** Where the limit is read; a test puts files of its own there. */
export interface MemoryLimitPlaces {
  /** The folder that stands for the root of the file system; default `/`. */
  readonly root?: string;
  /** The memory of the machine; default that of this one. */
  readonly machineBytes?: number;
}

/** A hierarchy of control groups: where it is mounted, and the place of this process in it. */
interface Hierarchy {
  readonly mountPoint: string;
  /** The group that the mount shows as its root. */
  readonly mountRoot: string;
  readonly group: string;
  readonly limitFile: string;
}

/**
 * Reads the memory limit of the container: the lowest one of the process's own control group and of all groups around
 * it, in version 1 and 2 of control groups. The kernel ends a process for any of them, while Node's
 * `process.constrainedMemory()` knows the own group only (measured with Node 20 and 26). Without a limit below the memory
 * of the machine, that is the limit.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export function readMemoryLimit({ root = '/', machineBytes = totalmem() }: MemoryLimitPlaces = {}): MemoryLimit {
  const limits = findHierarchies(root).flatMap((hierarchy) => readLimits(hierarchy, root));
  const lowest = Math.min(...limits);
  return lowest < machineBytes ? { bytes: lowest, setBy: 'cgroup' } : { bytes: machineBytes, setBy: 'machine' };
}

function findHierarchies(root: string): readonly Hierarchy[] {
  const groups = readText(join(root, 'proc/self/cgroup')).split('\n').map(parseGroup);
  return readText(join(root, 'proc/self/mountinfo'))
    .split('\n')
    .flatMap((line) => {
      const mount = parseMount(line);
      const group = mount && groups.find(({ controllers }) => controllers.includes(mount.controller));
      return mount === undefined || group === undefined ? [] : [{ ...mount, group: group.path }];
    });
}

/**
 * Parses a line of /proc/self/cgroup: `0::/path` in version 2, `4:memory:/path` in version 1.
 *
 * @see https://man7.org/linux/man-pages/man7/cgroups.7.html
 */
function parseGroup(line: string): { readonly controllers: readonly string[]; readonly path: string } {
  const [, controllers = '-', ...path] = line.split(':');
  return { controllers: controllers.split(','), path: path.join(':') };
}

/**
 * Parses a line of /proc/self/mountinfo that mounts control groups for memory.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
function parseMount(line: string): (Omit<Hierarchy, 'group'> & { readonly controller: string }) | undefined {
  const [place = '', source = ''] = line.split(' - ');
  const [, , , mountRoot = '/', mountPoint = ''] = place.split(' ').map(unescape);
  const [type, , options = ''] = source.split(' ');
  if (type === 'cgroup2') {
    return { mountRoot, mountPoint, controller: '', limitFile: 'memory.max' };
  }
  return type === 'cgroup' && options.split(',').includes('memory')
    ? { mountRoot, mountPoint, controller: 'memory', limitFile: 'memory.limit_in_bytes' }
    : undefined;
}

/** The kernel writes spaces in paths as octal numbers. */
function unescape(path: string): string {
  return path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The limits of a group and of all groups around it that can be seen from here. */
function readLimits({ mountPoint, mountRoot, group, limitFile }: Hierarchy, root: string): readonly number[] {
  const below = posix.relative(mountRoot, group);
  // A group outside of the mount cannot be seen: that of a container that shares the names of its host, for example.
  const names = below === '' || below.startsWith('..') ? [] : below.split('/');
  return [undefined, ...names]
    .map((_, depth) => join(root, mountPoint, ...names.slice(0, depth), limitFile))
    .map((file) => readText(file).trim())
    .filter((text) => /^\d+$/.test(text))
    .map(Number);
}

/** Reads a file, which is missing where there is no Linux or no such group: then it is empty. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
