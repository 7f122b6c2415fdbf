import React from 'react';
import { pieces } from '../words/foreignText';

/** Writes code into an element, with the classes that colour it. */
export type Highlight = (code: string, node: HTMLElement) => Promise<void>;

/** The highlighter for the components below; null without one. */
export const Highlighting = React.createContext<Highlight | null>(null);

/** Text with its invisible characters marked. */
export function Pieces(props: { text: string }): React.JSX.Element {
  return (
    <>
      {pieces(props.text).map((piece, index) =>
        piece.mark === null ? (
          <React.Fragment key={index}>{piece.text}</React.Fragment>
        ) : (
          <span key={index} className={MARK}>
            {piece.mark}
          </span>
        )
      )}
    </>
  );
}

/**
 * Highlighted code, its invisible characters marked.
 *
 * Until it is highlighted, and if the highlighter fails or changes a character, it is shown as plain text.
 */
export function HighlightedCode(props: { text: string }): React.JSX.Element {
  const { text } = props;
  const highlight = React.useContext(Highlighting);
  const place = React.useRef<HTMLSpanElement>(null);
  const [drawn, setDrawn] = React.useState<string | null>(null);
  React.useEffect(() => {
    if (highlight === null) {
      return;
    }
    let isWanted = true;
    const node = document.createElement('span');
    highlight(text, node)
      .then(() => {
        if (isWanted && node.textContent === text) {
          mark(node);
          place.current?.replaceChildren(...node.childNodes);
          setDrawn(text);
        }
      })
      // Plain text is shown already.
      .catch(() => undefined);
    return () => {
      isWanted = false;
    };
  }, [highlight, text]);
  return (
    <>
      <span ref={place} hidden={drawn !== text} />
      {drawn !== text && <Pieces text={text} />}
    </>
  );
}

const MARK = 'aumos-ForeignText-mark';

/** Replace the invisible characters below a node by their names. */
function mark(node: Node): void {
  for (const child of [...node.childNodes]) {
    if (!(child instanceof Text)) {
      mark(child);
      continue;
    }
    child.replaceWith(
      ...pieces(child.data).map(piece => {
        if (piece.mark === null) {
          return piece.text;
        }
        const name = document.createElement('span');
        name.className = MARK;
        name.textContent = piece.mark;
        return name;
      })
    );
  }
}
