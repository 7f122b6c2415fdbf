import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { excerpt } from '../words/foreignText';
import { Button } from './button';
import { HighlightedCode, Pieces } from './highlighting';
import { useNotation } from './notation';

const MAX_CHARACTERS = 300;

/**
 * Text of unknown origin, such as code that waits for approval, over several lines.
 *
 * It is never treated as HTML, its writing direction is isolated from the page, and its invisible characters are shown
 * by name. Of a long text only the beginning is shown, until the user presses "Show all".
 */
export function ForeignText(props: ForeignText.IProps): React.JSX.Element {
  const { text, isCode = false, isProgram = false, lines = 8, trans } = props;
  const notation = useNotation();
  const [isWhole, setWhole] = React.useState(false);
  const part = excerpt(text, lines, MAX_CHARACTERS);
  return (
    <div className="aumos-ForeignText" data-code={isCode || undefined}>
      <bdi className="aumos-ForeignText-text" dir={isCode ? 'ltr' : 'auto'}>
        {isProgram ? (
          <HighlightedCode text={isWhole ? text : part.text} />
        ) : (
          <Pieces text={isWhole ? text : part.text} />
        )}
        {part.isCut && !isWhole && '…'}
      </bdi>
      {part.isCut && (
        <Button onClick={() => setWhole(!isWhole)} kind="link">
          {isWhole
            ? trans.__('Show less')
            : trans.__('Show all (%1 characters)', notation.count(part.length))}
        </Button>
      )}
    </div>
  );
}

/** A namespace for the types that belong to `ForeignText`. */
export namespace ForeignText {
  /** The properties of the component `ForeignText`. */
  export interface IProps {
    text: string;
    /** Whether the text is code, which is shown from left to right in a fixed-width font. */
    isCode?: boolean;
    /** Whether the text is code in the kernel's language, which is highlighted. */
    isProgram?: boolean;
    /** How many lines are shown until the user presses "Show all"; 8 if omitted. */
    lines?: number;
    trans: TranslationBundle;
  }
}
