import React from 'react';
import { pieces } from '../words/foreignText';

/** Writes code into an element, with the classes of syntax highlighting. */
export type Highlight = (code: string, node: HTMLElement) => Promise<void>;

/** The context with the highlighter; null if there is none, then code is shown as plain text. */
export const Highlighting = React.createContext<Highlight | null>(null);

/** Text with its invisible characters shown by name. */
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
 * Highlighted code with its invisible characters shown by name.
 *
 * It is plain text until it is highlighted, and if the highlighter fails or changes any character.
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
      // The plain text stays.
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

/** Replace the invisible characters in a node by their names. */
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
