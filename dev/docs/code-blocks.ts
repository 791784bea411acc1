import { extname } from 'node:path';
import { fence } from './markdown.ts';

/** A comment that names a file of the repository, and the block of code after it. */
const INCLUDED = /<!-- (examples\/\S+) -->\n\n```\w+\n[^]*?```/g;

/** Fills the code blocks of a document with the files that the comments before them name. */
export function refreshCodeBlocks(document: string, readFile: (name: string) => string): string {
  return document.replaceAll(INCLUDED, (_, name: string) => {
    const block = fence(extname(name).slice(1), readFile(name));
    return `<!-- ${name} -->\n\n${block}`;
  });
}
