import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  TranslatorConnector,
  TranslationManager
} from '@jupyterlab/translation';
import ts from 'typescript';
import SCHEMA from '../../../schema/settings.json';
import { translateSchema } from '../../state/settingsSchema';

const SOURCES = join(import.meta.dirname, '../..');
const TRANSLATIONS = JSON.parse(
  readFileSync(
    join(
      SOURCES,
      '../../aumos_governance/locale/de_DE/LC_MESSAGES/aumos_governance.json'
    ),
    'utf8'
  )
) as Record<string, string[]>;

/** The texts of the sources and the settings schema, each with its plural if it has one. */
function texts(): Map<string, string | null> {
  const found = new Map<string, string | null>();
  translateSchema(structuredClone(SCHEMA), {
    gettext: (text: string) => {
      found.set(text, null);
      return text;
    }
  } as never);
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  for (const file of files) {
    if (/\.tsx?$/.test(file) && !file.includes('__tests__')) {
      const text = readFileSync(join(SOURCES, file), 'utf8');
      collect(ts.createSourceFile(file, text, ts.ScriptTarget.Latest), found);
    }
  }
  return found;
}

function collect(node: ts.Node, found: Map<string, string | null>): void {
  if (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression)
  ) {
    const { text: method } = node.expression.name;
    const [first, second] = node.arguments;
    if (method === '__' || method === '_n') {
      // Only literals can be extracted for translators.
      if (!first || !ts.isStringLiteralLike(first)) {
        throw new Error(`A message in the sources is no literal.`);
      }
      const plural = second && ts.isStringLiteralLike(second) ? second : null;
      found.set(first.text, method === '_n' ? (plural?.text ?? '') : null);
    }
  }
  node.forEachChild(child => collect(child, found));
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/%\d/g))].sort();
}

describe('the German translation', () => {
  const messages = texts();

  it('translates every text of the sources, and nothing else', () => {
    const translated = Object.keys(TRANSLATIONS).filter(key => key !== '');
    expect(translated.sort()).toEqual([...messages.keys()].sort());
  });

  it.each([...messages])('puts in what %j puts in', (message, plural) => {
    const forms = TRANSLATIONS[message] ?? [];
    expect(forms).toHaveLength(plural === null ? 1 : 2);
    for (const [index, form] of forms.entries()) {
      const original = index === 0 ? message : (plural ?? '');
      expect(placeholders(form)).toEqual(placeholders(original));
      expect(form.trim()).not.toBe('');
    }
  });

  it('is understood by the translator of JupyterLab', async () => {
    vi.spyOn(TranslatorConnector.prototype, 'fetch').mockResolvedValue({
      data: { aumos_governance: TRANSLATIONS },
      message: ''
    } as never);
    const manager = new TranslationManager('');
    await manager.fetch('de_DE');
    const trans = manager.load('aumos_governance');
    expect(trans.__('%1 left', '$3.75')).toBe('noch $3.75');
    expect(trans._n('%1 call', '%1 calls', 1)).toBe('1 Aufruf');
    expect(trans._n('%1 call', '%1 calls', 3)).toBe('3 Aufrufe');
    const schema = structuredClone(SCHEMA);
    translateSchema(schema, trans);
    expect(schema.properties.showPanel.title).toBe('Seitenleiste anzeigen');
    expect(schema.properties.statusItem.oneOf[1]?.title).toBe(
      'Verbleibendes Budget'
    );
    expect(schema.properties.statusItem.default).toBe('level-and-left');
  });
});
