import { Widget } from '@lumino/widgets';

/**
 * Show a widget in a modal `dialog` element until the returned function is called, or the user closes it.
 *
 * The browser draws it in its top layer, above the whole page, and makes everything else inert: the output of a
 * notebook can neither cover the dialog nor intercept its clicks and keys.
 *
 * @param title - The id of the element that labels the dialog, and gets the focus.
 * @param onClosed - Called once, when the dialog has closed for any reason.
 */
export function showInTopLayer(
  content: Widget & { readonly renderPromise?: Promise<void> },
  title: string,
  onClosed: () => void
): () => void {
  const dialog = document.createElement('dialog');
  dialog.className = 'jp-ThemedContainer aumos-Decision';
  dialog.setAttribute('aria-labelledby', title);
  dialog.addEventListener('close', () => {
    content.dispose();
    dialog.remove();
    onClosed();
  });
  document.body.append(dialog);
  dialog.showModal();
  Widget.attach(content, dialog);
  void content.renderPromise?.then(() =>
    // The title gets the focus and not a button, so that a key that is held down decides nothing.
    dialog.querySelector<HTMLElement>('.aumos-Decision-title')?.focus()
  );
  return () => dialog.close();
}
