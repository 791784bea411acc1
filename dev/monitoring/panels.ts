import { CALLER_ROWS } from './caller-panels.ts';
import { DEPENDENCY_ROWS } from './dependency-panels.ts';
import type { Row } from './panel.ts';
import { PROCESS_ROWS } from './process-panels.ts';

/** All panels of the dashboard, in their order. */
export const ROWS: readonly Row[] = [...CALLER_ROWS, ...DEPENDENCY_ROWS, ...PROCESS_ROWS];
