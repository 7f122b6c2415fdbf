import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { Button } from './button';

/** Preformatted text, such as code, with a button that copies it to the clipboard. */
export function CopiedText(props: {
  text: string;
  /** Copies text to the clipboard. */
  copy: (text: string) => void;
  /** The label of the button; `Copy` if omitted. */
  label?: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { copy, label, text, trans } = props;
  const [isCopied, setCopied] = React.useState(false);
  return (
    <div className="aumos-Snippet">
      <pre tabIndex={0}>{text}</pre>
      <Button
        onClick={() => {
          copy(text);
          setCopied(true);
        }}
      >
        {label ?? trans.__('Copy')}
      </Button>
      <span className="aumos-Heard" role="status">
        {isCopied && trans.__('Copied')}
      </span>
    </div>
  );
}
