// Renders the reference of the library from the comments of its exports, as one Markdown page:
// `node dev/docs/reference/render.js <folder>` writes `reference.md` there. It is JavaScript, because it runs with the
// packages of this folder, which are not those of the project: TypeDoc needs a TypeScript with a compiler API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter, LiteralType, ReflectionKind, TSConfigReader, UnionType } from 'typedoc';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The exports that are for programs which embed the gateway, and not for applications. */
const OF_THE_GATEWAY = readFileSync(join(ROOT, 'src/index.ts'), 'utf8')
  .match(/^export .*(?= from '\.\/gateway\.ts';$)/gm)
  .flatMap((line) => line.match(/\w+(?=[, ]*[,}]| })/g));

const app = await Application.bootstrapWithPlugins(
  {
    plugin: [fileURLToPath(import.meta.resolve('typedoc-plugin-markdown'))],
    entryPoints: [join(ROOT, 'src/index.ts')],
    tsconfig: join(ROOT, 'tsconfig.build.json'),
    // The sources are checked by the compiler of the project, which is another version.
    skipErrorChecking: true,
    logLevel: 'Error',
    readme: 'none',
    name: 'Reference of the library',
    disableSources: true,
    excludeInternal: true,
    excludeExternals: true,
    excludePrivate: true,
    preservedTypeAnnotationTags: ['@throws'],
    sort: ['source-order'],
    groupOrder: ['Functions', 'Interfaces', 'Type Aliases', 'Classes'],
    outputFileStrategy: 'modules',
    entryFileName: 'reference.md',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    propertyMembersFormat: 'table',
    tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideOverrides: true },
  },
  [new TSConfigReader()],
);

app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
  const { project, programs } = context;
  for (const reflection of Object.values(project.reflections)) {
    // Applications get errors and never make one.
    if (OF_THE_GATEWAY.includes(reflection.name) || reflection.kindOf(ReflectionKind.Constructor)) {
      project.removeReflection(reflection);
    }
    nameErrors(reflection);
    if (reflection.kindOf(ReflectionKind.Interface)) {
      // What can be called like a function extends an interface of axios, which describes that.
      delete reflection.signatures;
    }
    if (reflection.kindOf(ReflectionKind.TypeAlias)) {
      listWords(
        reflection,
        programs[0].getTypeChecker().getDeclaredTypeOfSymbol(context.getSymbolFromReflection(reflection)),
      );
    }
  }
});

const project = await app.convert();
if (project === undefined) {
  throw new Error('TypeDoc cannot read src/index.ts.');
}
await app.outputs.writeOutput({ name: 'markdown', path: process.argv[2] ?? '.' }, project);

/** Says which error is thrown; the theme shows the text of `@throws` alone. */
function nameErrors({ comment }) {
  for (const tag of comment?.blockTags ?? []) {
    if (tag.typeAnnotation !== undefined) {
      tag.content.unshift(
        { kind: 'code', text: `\`${tag.typeAnnotation.slice(1, -1)}\`` },
        { kind: 'text', text: ' ' },
      );
      delete tag.typeAnnotation;
    }
  }
}

/** Lists the words that a type allows, instead of how it is made from a table. */
function listWords(reflection, { types = [] }) {
  if (types.length > 0 && types.every((type) => type.isStringLiteral())) {
    reflection.type = new UnionType(types.map(({ value }) => new LiteralType(value)));
  }
}
