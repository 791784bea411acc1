import { OWN_PATHS } from '../contract/own-paths.ts';
import type { Answer } from './answer.ts';
import { judgeContractDocument, judgeMetadata, type DocumentJudge } from './judge-document.ts';
import { judgeHead } from './judge-head.ts';
import { judgeAllow, judgeRefusal } from './judge-path.ts';
import type { TriedOperation } from './load-operations.ts';
import { conclude, skip, type Finding, type Subject } from './outcome.ts';
import { listPlaces } from './places.ts';
import type { GatewayClient } from './send.ts';
import type { Trial } from './trial.ts';

const JUDGES: Readonly<Record<keyof typeof OWN_PATHS, DocumentJudge>> = {
  contract: judgeContractDocument,
  metadata: judgeMetadata,
};

/** Tries the documents that the gateway publishes itself. */
export function planDocumentTrials(operations: readonly TriedOperation[], client: GatewayClient): Trial[] {
  return (['contract', 'metadata'] as const).flatMap((name) => {
    let found: Promise<Answer> | undefined;
    const path = OWN_PATHS[name];
    const find = (): Promise<Answer> => (found ??= findDocument(path, client));
    return [
      toTrial({ subject: path, case: 'as a document' }, async (named) => {
        const answer = await find();
        return conclude(named, answer.status, JUDGES[name](answer, operations));
      }),
      toTrial({ subject: path, case: 'as HEAD' }, async (named) => tryHead(named, await find(), client)),
      toTrial({ subject: path, case: 'with the method OPTIONS' }, async (named) =>
        tryOptions(named, await find(), client),
      ),
    ];
  });
}

function toTrial(named: Subject, run: (named: Subject) => Promise<Finding>): Trial {
  return { ...named, run: async () => [await run(named)] };
}

/** The first of the places that has it, or what is answered at the root. */
async function findDocument(path: string, client: GatewayClient): Promise<Answer> {
  const [first = path, ...others] = listPlaces(client.basePath, path);
  let answer = await client.ask({ method: 'GET', target: first });
  for (const target of others) {
    if (answer.status === 200) {
      break;
    }
    answer = await client.ask({ method: 'GET', target });
  }
  return answer;
}

async function tryHead(named: Subject, before: Answer, client: GatewayClient): Promise<Finding> {
  if (before.status !== 200) {
    return skip(named, 'it is not there');
  }
  const head = await client.askHead({ target: before.path });
  const after = await client.ask({ method: 'GET', target: before.path });
  return conclude(named, head.status, judgeHead(head, before, after));
}

async function tryOptions(named: Subject, { status, path }: Answer, client: GatewayClient): Promise<Finding> {
  if (status !== 200) {
    return skip(named, 'it is not there');
  }
  const answer = await client.ask({ method: 'OPTIONS', target: path });
  const refused = judgeRefusal(answer, named.subject, 'method_not_allowed');
  return conclude(named, answer.status, refused.length > 0 ? refused : judgeAllow(answer, ['GET', 'HEAD']));
}
