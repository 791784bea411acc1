import type { Response } from 'express';

/** Answers with a page; the texts are shown as they are, the link is one that the user may follow. */
export function showPage(res: Response, title: string, text: string, link?: { to: string; label: string }): void {
  const anchor = link ? `<p><a href="${escapeHtml(link.to)}">${escapeHtml(link.label)}</a></p>` : '';
  const head = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>`;
  res.set({ 'Cache-Control': 'no-store', 'Content-Security-Policy': "default-src 'none'" });
  res.send(`${head}<h1>${escapeHtml(title)}</h1><pre>${escapeHtml(text)}</pre>${anchor}</html>`);
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
