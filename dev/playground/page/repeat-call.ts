import { sendCall, type Answer, type CallOptions, type CallRequest } from './call.ts';

/** Sends a call many times, one after the other, until the signal; says what came: `50 × 502 downstream_unreachable`. */
export async function repeatCall(
  times: number,
  request: CallRequest,
  options: Omit<CallOptions, 'requestId' | 'onHead' | 'onBody'>,
): Promise<string> {
  const counts = new Map<string, number>();
  for (let sent = 0; sent < times && !options.signal.aborted; sent += 1) {
    const requestId = crypto.randomUUID();
    const answer = await sendCall(request, { ...options, requestId, onHead: () => {}, onBody: () => {} });
    const name = nameAnswer(answer);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
}

function nameAnswer({ status, problem }: Answer): string {
  return status === 0 ? 'no answer' : [status, problem?.code].filter(Boolean).join(' ');
}
