import React from 'react';
import { pieces } from '../words/foreignText';

/** Writes code into an element, in which it adds the elements and classes of syntax highlighting. */
export type Highlight = (code: string, node: HTMLElement) => Promise<void>;

/** The context that holds the highlighter; null if there is none, and then code is shown as plain text. */
export const Highlighting = React.createContext<Highlight | null>(null);

/** Text in which each invisible character is shown by name, such as `U+202E`. */
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
 * Highlighted code in which each invisible character is shown by name.
 *
 * The code is shown as plain text until it is highlighted, and stays so if the highlighter fails or changes any
 * character.
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
      // If highlighting fails, the plain text stays.
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

/** Replace each invisible character in a node by its name. */
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
