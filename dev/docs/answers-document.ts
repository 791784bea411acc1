import { STATUS_CODES } from 'node:http';
import { format } from 'prettier';
import { codeOf, FAILURES, type Failure } from '../../src/failures.ts';
import { ANSWER_GUIDE } from './answer-guide.ts';
import { describeEntra } from './entra-part.ts';
import { makeExampleAnswers, type ExampleAnswer } from './example-answers.ts';
import { code, fence, linkTo, table } from './markdown.ts';

const INTRODUCTION = `# Answers

<!-- Made by \`npm run docs\` from the tables of the gateway; a test fails when it is out of date. -->

Every answer that the gateway itself gives, and what to do about it. Errors are problem documents (RFC 9457); \`code\`
is the word to decide by, \`requestId\` finds the line in the log. A 401, and a 403 about a token, carries exactly one
\`WWW-Authenticate\` challenge. Whatever else the API behind the gateway answers passes, without its
cookies, its challenges and its rules for the whole address. Messages to MCP servers are refused by errors of JSON-RPC.

[clients.md](clients.md) has the client's side as code.`;

/** Makes docs/answers.md. */
export async function makeAnswersDocument(): Promise<string> {
  const answers = await makeExampleAnswers();
  const codes = new Set(failures().map(codeOf));
  const parts = [
    INTRODUCTION,
    '## The codes',
    table(
      ['code', 'status', 'title'],
      failures().map((failure) => [linkTo(codeOf(failure)), String(FAILURES[failure].status), FAILURES[failure].title]),
    ),
    ...[...codes].map((name) => describeCode(name, answers)),
    describeEntra(),
  ];
  return format(parts.join('\n\n'), { parser: 'markdown', printWidth: 120, singleQuote: true });
}

function failures(): Failure[] {
  return Object.keys(FAILURES) as Failure[];
}

function describeCode(name: string, answers: Readonly<Record<Failure, ExampleAnswer>>): string {
  const ways = failures().filter((failure) => codeOf(failure) === name);
  return [`### ${name}`, ...ways.map((failure) => describeFailure(failure, answers[failure]))].join('\n\n');
}

function describeFailure(failure: Failure, answer: ExampleAnswer): string {
  const { when, client, operator } = ANSWER_GUIDE[failure];
  return [
    `**${FAILURES[failure].title}.** ${when}`,
    `- **Challenge:** ${describeChallenge(failure)}\n- **Client:** ${client}\n- **Operator:** ${operator}`,
    fence('http', showAnswer(answer)),
  ].join('\n\n');
}

function describeChallenge(failure: Failure): string {
  const rule = FAILURES[failure];
  if (!('challenge' in rule)) {
    return 'none.';
  }
  return rule.challenge === null ? `without ${code('error')}.` : `${code(`error="${rule.challenge}"`)}.`;
}

function showAnswer({ status, contentType, headers, body }: ExampleAnswer): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${contentType}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    JSON.stringify(JSON.parse(body), null, 2),
  ].join('\n');
}
