import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

/** Text that can be copied. */
export function CopiedText(props: {
  text: string;
  /** Puts text into the clipboard. */
  copy: (text: string) => void;
  /** What the button is called. */
  label?: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { copy, label, text, trans } = props;
  const [isCopied, setCopied] = React.useState(false);
  return (
    <div className="aumos-Snippet">
      <pre tabIndex={0}>{text}</pre>
      <button
        type="button"
        className="jp-Button jp-mod-small aumos-Button"
        data-kind="plain"
        onClick={() => {
          copy(text);
          setCopied(true);
        }}
      >
        {label ?? trans.__('Copy')}
      </button>
      <span className="aumos-Heard" role="status">
        {isCopied && trans.__('Copied')}
      </span>
    </div>
  );
}
