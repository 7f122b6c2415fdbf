import type { TranslationBundle } from '@jupyterlab/translation';

/** The keys of a schema whose text the settings editor shows. */
const WORDS = ['title', 'description'];

/**
 * Translate the texts of a settings schema, in place.
 *
 * #### Notes
 * JupyterLab's server translates schemas with language packs only, not with this package's own catalogue.
 */
export function translateSchema(
  schema: object,
  trans: TranslationBundle
): void {
  for (const [key, value] of Object.entries(schema)) {
    if (typeof value === 'string' && WORDS.includes(key)) {
      // Translators get these texts from the schema itself, so `gettext` with a variable is right here.
      (schema as Record<string, string>)[key] = trans.gettext(value);
    } else if (PARTS.includes(key) && typeof value === 'object' && value) {
      for (const part of Object.values(value as Record<string, object>)) {
        translateSchema(part, trans);
      }
    }
  }
}

/** The keys under which a schema contains other schemas. */
const PARTS = ['properties', 'oneOf'];
