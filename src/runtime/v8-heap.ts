import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Whether the process is our own: the heap of an application is its own business. */
let isOwn = false;

/**
 * Says that the process is our own, so that V8 is set up for it: {@link keepGarbageYoung}, {@link compileFrugally}, passing
 * bytes are collected ({@link countPassedBytes}), and the young generation grows at once. It has to be called before the
 * start.
 */
export function ownHeap(): void {
  isOwn = true;
  keepGarbageYoung();
  compileFrugally();
}

/**
 * Turns off V8's allocation-site pretenuring. With pretenuring, code that made long-lived objects for a while, as a start
 * does, goes on allocating in the old space: each request then leaves garbage there which keeps the rest of the request
 * alive until the next full collection (measured with it: in one of four processes 8 kB of each request moved to the old
 * space, and a request took 82 to 94 µs of CPU; in the other three, and in all without it, 0.2 kB and 45 to 56 µs).
 */
function keepGarbageYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/**
 * Does without V8's middle compiler, whose threads keep memory that no part of the heap shows (measured with Node 26: 29 MB
 * with 100 sessions, for 2 % of the CPU of a warm request; 40 MB after 3,000 first requests; Node 20 does not use it).
 */
function compileFrugally(): void {
  setFlagsFromString('--no-maglev');
}

/** From this many sessions on, the garbage that their exchanges leave takes more than they do. */
const MANY_SESSIONS = 5_000;

/** Below this, the process, its garbage and its sessions get in each other's way. */
const LITTLE_MEMORY_BYTES = 512 * 1_024 * 1_024;

/**
 * Makes a function that, once there are many sessions, lets the heap grow by only a tenth between two collections; it
 * has to be called now and then. By default V8 lets a heap grow to several times what is alive in it. Where memory is
 * little, the limit, {@link limitYoungGeneration} and {@link compileFrugally} apply at once; in a process of our own with
 * more, {@link growYoungGenerationAtOnce} does.
 *
 * @param processBytes what the process may take
 */
export function createHeapLimit(processBytes = Number.POSITIVE_INFINITY): (sessions: number) => void {
  let isLimited = false;
  if (processBytes < LITTLE_MEMORY_BYTES) {
    compileFrugally();
    limitYoungGeneration();
    limitGrowth();
  } else if (isOwn) {
    growYoungGenerationAtOnce();
  }
  return (sessions) => {
    if (!isLimited && sessions >= MANY_SESSIONS) {
      limitGrowth();
    }
  };

  function limitGrowth(): void {
    isLimited = true;
    setFlagsFromString('--heap-growing-percent=10');
  }
}

/** What the young generation may hold: 16 MB, of which V8 keeps some for itself in Node 20. Bytes. */
const YOUNG_BYTES = 15 * 1_024 * 1_024;

/**
 * Ends the growth of the young generation at 16 MB, where Node 20 ends it by itself; Node 26 goes on to 32 MB, and keeps
 * twice as much (measured with Node 26: 19 MB less are resident after a warm load; with 8 MB a warm request takes 17 % more
 * CPU).
 *
 * Only a start of Node can set the size, but V8 looks at the factor of the growth each time. Where it has made the young
 * generation smaller, after a while without requests, that may grow again.
 */
function limitYoungGeneration(): void {
  let mayGrow = true;
  const observer = new PerformanceObserver(() => {
    const isSmall = readYoungCapacity() < YOUNG_BYTES;
    if (isSmall !== mayGrow) {
      mayGrow = isSmall;
      setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** From the least size of the young generation, 1 MB, to the greatest: 32 MB with Node 26, 16 MB with Node 20. */
const WHOLE_GROWTH = 32;

/**
 * Lets the young generation grow to its full size in one step. V8 makes it small when nobody has called for some seconds, and
 * doubles it only after as much as it holds has survived, of which requests leave little (measured with Node 26 in four
 * seconds of load after a pause: a collection after every 1,050 requests, which takes 1.8 µs of each; before 500 and 3.1).
 */
function growYoungGenerationAtOnce(): void {
  setFlagsFromString(`--semi-space-growth-factor=${WHOLE_GROWTH}`);
}

/** Bytes that fit into the young generation as it is now. */
function readYoungCapacity(): number {
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  return young === undefined ? 0 : young.space_used_size + young.space_available_size;
}

/** Bytes of bodies between two collections of young garbage; with half of it, or twice, a body costs the same. */
const PASSED_BYTES = 16 * 1_024 * 1_024;

let passedBytes = 0;

/**
 * Counts bytes of bodies that pass, and in a process of our own collects young garbage after each 16 MB of them: a piece is dead
 * once it is sent, but V8 lets 64 MB of such pieces come together (Node 26), each in memory that is new to the processor
 * (measured: 1 GB took 80 MB and 1.6 s of CPU, and now takes 28 MB and 0.9 s).
 */
export function countPassedBytes(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes >= PASSED_BYTES && isOwn) {
    passedBytes = 0;
    collect ??= findCollector();
    collect({ type: 'minor' });
  }
}

let collect: NodeJS.GCFunction | undefined;

/** Collects all garbage at once; nothing else happens meanwhile, for some 50 ms with a heap of 60 MB. */
export function collectGarbage(): void {
  collect ??= findCollector();
  collect();
}

function findCollector(): NodeJS.GCFunction {
  // Only a context that is made while the flag is set has the function.
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NodeJS.GCFunction;
  setFlagsFromString('--no-expose-gc');
  return gc;
}
