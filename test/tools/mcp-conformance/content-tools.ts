import { setTimeout as wait } from 'node:timers/promises';
import {
  fromJsonSchema,
  type CallToolResult,
  type JsonSchemaType,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** A tool that the conformance suite calls by its name. */
interface Tool {
  readonly schema?: JsonSchemaType;
  readonly call: (args: Arguments, context: ServerContext) => CallToolResult | Promise<CallToolResult>;
}

type Arguments = Readonly<Record<string, unknown>>;
type Content = CallToolResult['content'][number];

const IMAGE: Content = { type: 'image', data: encode('an image'), mimeType: 'image/png' };
const AUDIO: Content = { type: 'audio', data: encode('a sound'), mimeType: 'audio/wav' };

const TITLED = ['value1', 'value2', 'value3'].map((value) => ({ const: value, title: `The ${value}` }));

/** An argument that clients repeat in `Mcp-Param-Region`; the keyword is no part of JSON Schema. */
const MIRRORED = { type: 'string', 'x-mcp-header': 'Region' } as JsonSchemaType;

/** Long enough for a client to see that messages do not come at once. */
const PAUSE_MS = 20;

/** What comes back without a question to the client. */
const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: { call: () => say('A text.') },
  test_streaming_elicitation: { call: () => say('A result and nothing else.') },
  test_image_content: { call: () => ({ content: [IMAGE] }) },
  test_audio_content: { call: () => ({ content: [AUDIO] }) },
  test_embedded_resource: { call: () => ({ content: [embed('test://embedded')] }) },
  test_multiple_content_types: {
    call: () => ({ content: [{ type: 'text', text: 'All kinds:' }, IMAGE, embed('test://mixed')] }),
  },
  test_error_handling: {
    call() {
      throw new Error('This tool fails, as it should.');
    },
  },
  test_tool_with_logging: {
    async call(_args, { mcpReq }) {
      for (const data of ['begins', 'goes on', 'ends']) {
        await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
        await wait(PAUSE_MS);
      }
      return say('Three messages were sent before this.');
    },
  },
  test_logging_tool: {
    async call(_args, { mcpReq }) {
      await mcpReq.log('info', 'Only for who asked for a level.');
      return say('Logged.');
    },
  },
  test_tool_with_progress: {
    async call(_args, { mcpReq }) {
      const { _meta: meta } = mcpReq;
      const token = meta?.progressToken;
      for (const progress of token === undefined ? [] : [0, 50, 100]) {
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken: token ?? '', progress, total: 100 },
        });
        await wait(PAUSE_MS);
      }
      return say(String(token));
    },
  },
  test_sampling: {
    schema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    call: ({ prompt }, { mcpReq }) =>
      retell(
        mcpReq.send({
          method: 'sampling/createMessage',
          params: { messages: [{ role: 'user', content: { type: 'text', text: String(prompt) } }], maxTokens: 100 },
        }),
      ),
  },
  test_elicitation: {
    schema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    call: ({ message }, context) => elicit(context, String(message), { response: { type: 'string' } }),
  },
  test_elicitation_sep1034_defaults: {
    call: (_args, context) =>
      elicit(context, 'Change what is not right.', {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      }),
  },
  test_elicitation_sep1330_enums: {
    call: (_args, context) =>
      elicit(context, 'Choose.', {
        untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        titledSingle: { type: 'string', oneOf: TITLED },
        legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
        untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
        titledMulti: { type: 'array', items: { anyOf: TITLED } },
      }),
  },
  test_x_mcp_header: {
    schema: { type: 'object', properties: { region: MIRRORED, level: { type: 'integer' } } },
    call: ({ region }) => say(`In ${String(region)}.`),
  },
  json_schema_2020_12_tool: {
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    call: (args) => say(JSON.stringify(args)),
  },
};

/** Gives a server the tools that say something, and those that ask the client as revisions before 2026-07-28 do. */
export function registerContentTools(server: McpServer): void {
  for (const [name, { schema = { type: 'object' }, call }] of Object.entries(TOOLS)) {
    server.registerTool(name, { description: name, inputSchema: fromJsonSchema<Arguments>(schema) }, call);
  }
}

/** A result that is a text. */
export function say(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

function elicit({ mcpReq }: ServerContext, message: string, properties: object): Promise<CallToolResult> {
  const requestedSchema = { type: 'object', properties } as never;
  return retell(mcpReq.send({ method: 'elicitation/create', params: { message, requestedSchema } }));
}

async function retell(answer: Promise<unknown>): Promise<CallToolResult> {
  return say(`The client answered ${JSON.stringify(await answer)}`);
}

function embed(uri: string): Content {
  return { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'A resource.' } };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
