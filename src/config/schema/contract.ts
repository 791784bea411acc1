import { z } from 'zod';
import { permission, text } from './values.ts';

const PREFIX = 'a path such as /graph, without a slash at its end, dot segments, braces, % or a query';
const PREFIX_PATTERN = /^(?:\/|(?:\/(?!\.{1,2}(?:\/|$))[\w.~!$&'()*+,;=:@-]+)+)$/;

const DOCUMENT_NAME = 'a name without spaces';

const SELECTED = 'operationIds and patterns such as GET /orders/* or GET /orders/**';

const contractDocument = z.strictObject({
  document: text('the path of the OpenAPI document').describe('The OpenAPI document, relative to this file.'),
  prefix: z
    .string({ error: PREFIX })
    .regex(PREFIX_PATTERN, { error: PREFIX })
    .transform((prefix) => (prefix === '/' ? '' : prefix))
    .optional()
    .describe('What stands before its paths for callers. Default: the path of the first of its servers.'),
  name: text(DOCUMENT_NAME)
    .regex(/^[^\s\p{Cc}]{1,100}$/u, { error: DOCUMENT_NAME })
    .optional()
    .describe('What stands before the names of its operations in the log and the metrics. Default: the prefix.'),
  downstream: text('the name of a downstream').optional().describe('The downstream of the operations that name none.'),
  security: z
    .array(
      z.record(z.string(), z.array(permission, { error: 'a list of scopes or roles' }), {
        error: 'a map of schemes and their scopes or roles',
      }),
      { error: 'a list of security requirements such as { user: [Orders.Read] }' },
    )
    .optional()
    .describe('Who may call, in place of what the document says: { user: [scopes] }, { app: [roles] }, {} for anyone.'),
  operations: z
    .array(text(SELECTED), { error: `a list of ${SELECTED}` })
    .min(1, { error: `at least one of ${SELECTED}` })
    .optional()
    .describe('The only operations that are served: operationIds, and METHOD /path with * and /**.'),
});

/** Callers, logs and metrics must be able to tell the documents apart. */
function refuseAmbiguity(documents: readonly z.output<typeof contractDocument>[], context: z.RefinementCtx): void {
  for (const [index, { prefix = '', name = prefix }] of documents.entries()) {
    const before = documents.slice(0, index);
    if (before.some((other) => (other.prefix ?? '') === prefix)) {
      const message =
        prefix === '' ? 'a prefix, because another document has none' : 'a prefix that no other document has';
      context.addIssue({ code: 'custom', message, path: [index, 'prefix'] });
    } else if (name !== '' && before.some((other) => (other.name ?? other.prefix) === name)) {
      context.addIssue({ code: 'custom', message: 'a name that no other document has', path: [index, 'name'] });
    }
  }
}

const contractDocuments = z
  .array(contractDocument)
  .min(1, { error: 'at least one document' })
  .superRefine(refuseAmbiguity);

/** `contract`: the documents of the contract: the path of the only one, or a list. */
export const contract = z.union([text('the path of the OpenAPI document'), contractDocuments], {
  error: 'the path of the OpenAPI document, or a list of documents',
});
