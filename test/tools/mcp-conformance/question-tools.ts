import { randomBytes } from 'node:crypto';
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
  type CallToolResult,
  type GetPromptResult,
  type InputRequiredResult,
  type InputRequests,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { say } from './content-tools.ts';

/** What a tool remembers from one request to the next. The client carries it, so it is sealed. */
interface Progress extends Record<string, unknown> {
  readonly round: number;
}

/** Seals what the client carries, and refuses what somebody changed. */
export const progressCodec = createRequestStateCodec<Progress>({ key: randomBytes(32) });

/** A question to the client, by the name of the input that it asks for. */
interface Question {
  readonly request: InputRequests[string];
  /** The capability of the client that it takes. */
  readonly capability: 'elicitation' | 'sampling' | 'roots';
  readonly isAnswered: (answer: unknown, responses: Responses) => boolean;
}

type Responses = ServerContext['mcpReq']['inputResponses'];

const QUESTIONS: Readonly<Record<string, Question>> = {
  user_name: askForm('user_name', 'name', 'string'),
  user_context: askForm('user_context', 'context', 'string'),
  confirm: askForm('confirm', 'ok', 'boolean'),
  step1: askForm('step1', 'name', 'string'),
  step2: askForm('step2', 'color', 'string'),
  capital_question: askModel('What is the capital of France?'),
  greeting: askModel('Greet somebody.'),
  llm_answer: askModel('Answer with one word.'),
  client_roots: {
    request: inputRequired.listRoots(),
    capability: 'roots',
    isAnswered: (answer) => Array.isArray((answer as { roots?: unknown } | undefined)?.roots),
  },
};

/** A tool that answers when all questions of its last round are answered. */
interface Conversation {
  /** The names of what it asks for, together in a round, one round after the other. */
  readonly rounds: readonly (readonly string[])[];
  /** True when the client has to carry how far they are. */
  readonly isStateful?: boolean;
  /** True when it asks only for what the client says that it can. */
  readonly isCareful?: boolean;
}

const CONVERSATIONS: Readonly<Record<string, Conversation>> = {
  test_missing_capability: { rounds: [['llm_answer']] },
  test_input_required_result_elicitation: { rounds: [['user_name']] },
  test_input_required_result_sampling: { rounds: [['capital_question']] },
  test_input_required_result_list_roots: { rounds: [['client_roots']] },
  test_input_required_result_request_state: { rounds: [['confirm']], isStateful: true },
  test_input_required_result_tampered_state: { rounds: [['confirm']], isStateful: true },
  test_input_required_result_multiple_inputs: {
    rounds: [['user_name', 'greeting', 'client_roots']],
    isStateful: true,
  },
  test_input_required_result_multi_round: { rounds: [['step1'], ['step2']], isStateful: true },
  test_input_required_result_capabilities: { rounds: [['user_name', 'greeting', 'client_roots']], isCareful: true },
};

/** Gives a server the tools and the prompt that ask the client as revision 2026-07-28 does: by their result. */
export function registerQuestionTools(server: McpServer): void {
  const nothing = fromJsonSchema<object>({ type: 'object' });
  for (const [name, conversation] of Object.entries(CONVERSATIONS)) {
    server.registerTool(name, { description: name, inputSchema: nothing }, (_args, context) =>
      converse(conversation, context),
    );
  }
  // A prompt without arguments is given the context alone, which the types do not say.
  const prompt = 'test_input_required_result_prompt';
  server.registerPrompt(prompt, { description: prompt }, ((context: ServerContext) =>
    isAnswered('user_context', context.mcpReq.inputResponses)
      ? { messages: [{ role: 'user', content: { type: 'text', text: 'A prompt for this context.' } }] }
      : inputRequired({ inputRequests: gather(['user_context']) })) as unknown as () => GetPromptResult);
}

async function converse(
  { rounds, isStateful = false, isCareful = false }: Conversation,
  { mcpReq }: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const envelope = mcpReq.envelope as Partial<Record<string, object>> | undefined;
  const declared = (envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Partial<Record<string, unknown>>;
  const isAsked = (name: string): boolean => !isCareful || declared[QUESTIONS[name]!.capability] !== undefined;
  const { round } = mcpReq.requestState<Progress>() ?? { round: 0 };
  const open = (rounds[round] ?? []).filter(isAsked);
  const next = open.every((name) => isAnswered(name, mcpReq.inputResponses)) ? round + 1 : round;
  const asked = (rounds[next] ?? []).filter(isAsked);
  if (asked.length === 0) {
    return say(`All is answered: ${JSON.stringify(mcpReq.inputResponses)}`);
  }
  return inputRequired({
    inputRequests: gather(asked),
    ...(isStateful && { requestState: await progressCodec.mint({ round: next }) }),
  });
}

function gather(names: readonly string[]): InputRequests {
  return Object.fromEntries(names.map((name) => [name, QUESTIONS[name]!.request]));
}

function isAnswered(name: string, responses: Responses): boolean {
  return QUESTIONS[name]!.isAnswered(responses?.[name], responses);
}

function askForm(name: string, member: string, type: 'string' | 'boolean'): Question {
  return {
    request: inputRequired.elicit({
      message: `Say the ${member}.`,
      requestedSchema: { type: 'object', properties: { [member]: { type } as { type: 'string' } }, required: [member] },
    }),
    capability: 'elicitation',
    isAnswered: (_answer, responses) => typeof acceptedContent<Progress>(responses, name)?.[member] === type,
  };
}

function askModel(text: string): Question {
  return {
    request: inputRequired.createMessage({
      messages: [{ role: 'user', content: { type: 'text', text } }],
      maxTokens: 50,
    }),
    capability: 'sampling',
    isAnswered: (answer) => answer !== undefined,
  };
}
