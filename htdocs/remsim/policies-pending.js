/** A change that goes again unless it is kept: over the page, counted down, also after a reload. */

import { el, setText } from './dom.js';
import { epoch } from './format.js';
import { errorText } from './remote-data.js';

export class PendingBanner {
	constructor(ctx) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _pending: null });
		this.count = el('span', { 'aria-hidden': 'true' });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.keep = el('button.remsim-primary', { type: 'button', click: () => this._decide(true) }, t('Keep it'));
		this.undo = el('button', { type: 'button', click: () => this._decide(false) }, t('Undo now'));
		this.bar = el('progress', { max: 90, 'aria-hidden': 'true' });
		this.root = el('section.remsim-pending', { 'aria-label': t('Change to be confirmed'), hidden: true }, el('p', { role: 'status' }, el('strong', {}, t('The new policies are in force.')), ' ', t('See whether everything still works, then keep them.')),
			el('p', {}, this.count), this.bar, this.error, options.readonly ? null : el('div.remsim-submit', {}, this.keep, this.undo));
	}

	/** `version`: what is in force. */
	update(pending, version) {
		if (this._pending && !pending && version > this._pending.version && !this._isDecided)
			this._ctx.failed(new Error(this._ctx.t('Nobody kept the new policies in time, so all is as it was. Their text is in “Versions”.')));
		this._isDecided &&= !!pending;
		this._pending = pending;
		this.root.hidden = !pending;
		this.tick();
	}

	tick() {
		const { t, store, data } = this._ctx;
		if (!this._pending)
			return;
		const left = Math.ceil(epoch(this._pending.confirm_by) - store.now());
		setText(this.count, left > 0 ? t('Undone in %s s unless they are kept.', left) : t('They are being undone …'));
		this.bar.value = Math.max(0, left);
		if (left < 0)
			data.soon();
	}

	async _decide(isKept) {
		const { t, request, data, said } = this._ctx;
		this._isDecided = true;
		this.keep.disabled = this.undo.disabled = true;
		this.error.hidden = true;
		try {
			await request(isKept ? 'policies/confirm' : 'policies/rollback', { method: 'POST', body: {} });
			await data.load();
			said(isKept ? t('The new policies are kept.') : t('The policies are as they were.'));
		} catch (error) {
			this._isDecided = false;
			this.error.hidden = false;
			setText(this.error, errorText(error));
			data.soon();
		}
		this.keep.disabled = this.undo.disabled = false;
	}
}
