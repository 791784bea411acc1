import type { Response } from 'express';

/** Answers with the headers that Entra sends with the JSON of its token endpoint and of what belongs to it. */
export function sendJson(res: Response, status: number, body: object, traceId: string): void {
  res.status(status);
  res.set({
    'Cache-Control': 'no-store, no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
    P3P: 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
    'x-ms-request-id': traceId,
    'x-ms-ests-server': '2.1.0 - EMULATOR',
  });
  res.append('Set-Cookie', ['fpc=emulator; path=/; HttpOnly', 'x-ms-gateway-slice=estsfd; path=/; HttpOnly']);
  res.json(body);
}
