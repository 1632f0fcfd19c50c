/** A text to copy: by the clipboard where the page may, else marked for the user's own hand. */

import { el, setText } from './dom.js';

/** A read-only text with its button. */
export class CopyBox {
	constructor(t, label) {
		this._t = t;
		this.text = el('textarea.remsim-mono', { readonly: true, rows: 10, 'aria-label': label, spellcheck: 'false' });
		this.button = el('button.remsim-primary', { type: 'button', click: () => this._copy() }, t('Copy'));
		this.told = el('span.remsim-muted', { role: 'status' });
		this.root = el('div.remsim-copy', {}, this.text, el('div.remsim-submit', {}, this.button, this.told));
	}

	show(text) {
		if (this.text.value !== text)
			this.text.value = text;
	}

	async _copy() {
		const t = this._t;
		try {
			await navigator.clipboard.writeText(this.text.value);
			setText(this.told, t('copied'));
			return;
		} catch { /* only pages with TLS or on localhost have a clipboard */ }
		this.text.focus();
		this.text.select();
		setText(this.told, document.execCommand('copy') ? t('copied') : t('marked: press Ctrl+C'));
	}
}
