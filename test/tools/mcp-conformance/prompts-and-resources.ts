import { fromJsonSchema, ResourceTemplate, type GetPromptResult, type McpServer } from '@modelcontextprotocol/server';

type PromptContent = GetPromptResult['messages'][number]['content'];
type Arguments = Readonly<Record<string, string>>;

const IMAGE = Buffer.from('an image').toString('base64');

/** The prompts of the conformance suite: their arguments, and what they say. */
const PROMPTS: Readonly<
  Record<string, { readonly args?: readonly string[]; readonly say: (args: Arguments) => PromptContent }>
> = {
  test_simple_prompt: { say: () => ({ type: 'text', text: 'A prompt.' }) },
  test_prompt_with_arguments: {
    args: ['arg1', 'arg2'],
    say: ({ arg1 = '', arg2 = '' }) => ({ type: 'text', text: `A prompt of ${arg1} and ${arg2}.` }),
  },
  test_prompt_with_embedded_resource: {
    args: ['resourceUri'],
    say: ({ resourceUri = '' }) => ({
      type: 'resource',
      resource: { uri: resourceUri, mimeType: 'text/plain', text: 'A resource.' },
    }),
  },
  test_prompt_with_image: { say: () => ({ type: 'image', data: IMAGE, mimeType: 'image/png' }) },
};

/** The resources of the conformance suite, by their addresses. */
const RESOURCES: Readonly<
  Record<string, { readonly mimeType: string } & ({ readonly text: string } | { readonly blob: string })>
> = {
  'test://static-text': { mimeType: 'text/plain', text: 'A text.' },
  'test://static-binary': { mimeType: 'image/png', blob: IMAGE },
  'test://watched-resource': { mimeType: 'text/plain', text: 'A text that somebody watches.' },
};

/** Gives a server the prompts of the suite, and completion of their arguments. */
export function registerPrompts(server: McpServer): void {
  for (const [name, { args, say }] of Object.entries(PROMPTS)) {
    const answer = (given: Arguments): GetPromptResult => ({ messages: [{ role: 'user', content: say(given) }] });
    if (args === undefined) {
      server.registerPrompt(name, { description: name }, () => answer({}));
    } else {
      const properties = Object.fromEntries(args.map((arg) => [arg, { type: 'string', description: arg }]));
      const argsSchema = fromJsonSchema<Arguments>({ type: 'object', properties, required: [...args] });
      server.registerPrompt(name, { description: name, argsSchema }, answer);
    }
  }
  server.server.setRequestHandler('completion/complete', () => ({ completion: { values: [] } }));
}

/** Gives a server the resources of the suite. */
export function registerResources(server: McpServer): void {
  for (const [uri, content] of Object.entries(RESOURCES)) {
    server.registerResource(uri, uri, { description: uri }, () => ({ contents: [{ uri, ...content }] }));
  }
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { description: 'One for each id' }, ({ href }, { id }) => ({
    contents: [{ uri: href, mimeType: 'application/json', text: JSON.stringify({ id }) }],
  }));
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}
