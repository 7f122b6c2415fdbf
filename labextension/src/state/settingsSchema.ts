import type { TranslationBundle } from '@jupyterlab/translation';

/** The keys of a schema whose values the settings editor shows as text. */
const WORDS = ['title', 'description'];

/**
 * Translate the texts of a settings schema; the given object is changed.
 *
 * #### Notes
 * JupyterLab's server translates schemas only with installed language packs, and not with the catalogue in this
 * package.
 */
export function translateSchema(
  schema: object,
  trans: TranslationBundle
): void {
  for (const [key, value] of Object.entries(schema)) {
    if (typeof value === 'string' && WORDS.includes(key)) {
      // `gettext` gets a variable here, since the texts are in the schema, from which translators take them.
      (schema as Record<string, string>)[key] = trans.gettext(value);
    } else if (PARTS.includes(key) && typeof value === 'object' && value) {
      for (const part of Object.values(value as Record<string, object>)) {
        translateSchema(part, trans);
      }
    }
  }
}

/** The keys of a schema whose values contain further schemas. */
const PARTS = ['properties', 'oneOf'];
