import { z } from 'zod';
import { LOG_LEVELS } from '../../telemetry/log-level.ts';
import { text } from './values.ts';

const REQUESTS = "'all', 'errors' or a share from 0 to 1, such as 0.01";

/** As digits, or as a reference to a variable. */
const SHARE_OR_VARIABLE = /^(?:[01]|[01]?\.\d+|\$\{\w+\})$/;

/** A share as a number, or as a text, because `${LOG_SHARE}` is one. */
const share = z
  .union([z.number(), z.string().regex(SHARE_OR_VARIABLE).transform(Number)])
  .refine((value) => value >= 0 && value <= 1, { error: REQUESTS });

/** `log`: which lines are written, and where. */
export const log = z.strictObject({
  level: z
    .enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` })
    .default('info')
    .describe('The lowest level of the lines that are written.'),
  requests: z
    .union([z.literal(['all', 'errors']), share], { error: REQUESTS })
    .default('all')
    .describe('Which lines of requests that went well are written; those of refusals and errors always are.'),
  audit: text("the path of a file, or 'stderr'")
    .optional()
    .describe('A second destination of the events for audit: a file, or stderr.'),
  whenBlocked: z
    .enum(['drop', 'wait'], { error: "'drop' or 'wait'" })
    .default('drop')
    .describe('What happens when nobody reads the log: lines are lost and counted, or requests wait.'),
});
