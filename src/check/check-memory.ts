import { adviseMemory, showSize } from '../config/advise-memory.ts';
import type { MemoryPlan } from '../config/plan-memory.ts';
import { pass, warn, type Row } from './row.ts';

const CHECK = 'memory';

/** Whether what gateway.yaml allows fits in the memory of the container, and what fits there. */
export function checkMemory(plan: MemoryPlan): Row[] {
  const advice = adviseMemory(plan);
  return advice.length === 0
    ? [pass(CHECK, describe(plan))]
    : advice.map(({ found, ...rest }) => warn(CHECK, found, rest));
}

function describe({ bytes, setBy, processBytes, maxSessions, bodyRoomBytes }: MemoryPlan): string {
  const source = setBy === 'cgroup' ? 'the limit of the container' : 'the machine';
  const share = processBytes === bytes ? '' : `, ${showSize(processBytes)} for each worker`;
  return `${showSize(bytes)} (${source}${share}): ${maxSessions} sessions, ${showSize(bodyRoomBytes)} of held bodies`;
}
