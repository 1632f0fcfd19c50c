/** Backup and restore of what can leave an eUICC's surroundings: names, plans, rules, codes; never a profile itself. */

import { el, fill } from './dom.js';
import { save } from './download.js';
import { FormView } from './form.js';
import { resultNodes } from './jobs.js';
import { sentence } from './esim-words.js';
import { msg } from './words.js';

const LARGEST = 90000;

export class BackupTab {
	/** `ctx` of esim.js. */
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.file = el('input', { type: 'file', accept: '.json,application/json', id: 'remsim-esim-backup', change: () => fill(this.outcome) });
		this.outcome = el('div', { role: 'status' });
		const passphrase = { type: 'string', format: 'password', minLength: 8, maxLength: 128, title: msg('Passphrase') };
		this.make = new FormView({ properties: { passphrase: { ...passphrase, description: msg('Codes that are not used yet are in the file only with one, encrypted with it.') } } }, { t, submitLabel: t('Make a backup'), isReadonly: options.readonly, submit: values => this._make(values) });
		this.restore = new FormView({ properties: { passphrase: { ...passphrase, description: msg('The one it was made with, if there was one.') } } }, { t, submitLabel: t('Put it back'), isReadonly: options.readonly, submit: values => this._restore(values) });
		this.root = el('div.remsim-stack', {},
			el('p.remsim-note', {}, t('A profile cannot leave its card, so no backup holds one: when a card is lost, its operators have to give new codes. What is kept is what is written about profiles: names, nicknames, plans, access points, rules, and codes that are not used yet.')),
			el('section.remsim-panel', { 'aria-label': t('Backup') }, el('header', {}, el('h2', {}, t('Backup'))), this.make.root),
			el('section.remsim-panel', { 'aria-label': t('Restore') }, el('header', {}, el('h2', {}, t('Restore'))), el('div.remsim-stack', {}, el('div.remsim-field', {}, el('label', { for: this.file.id }, t('The file')), this.file), this.restore.root, this.outcome)));
	}

	worked(job) {
		if (job.id === this._job && job.ended_at)
			this._ended(job);
	}

	async _make(values) {
		const { t, request, said } = this._ctx, made = await request('esim/backup', { method: 'POST', body: values.passphrase ? { passphrase: values.passphrase } : {} });
		save(new Blob([JSON.stringify(made, null, 1)], { type: 'application/json' }), `remsim-esim-${new Date().toISOString().slice(0, 10)}.json`);
		this.make.reset();
		said(t('The backup is made.'));
	}

	async _restore(values) {
		const { t, request, store, keeper } = this._ctx, [file] = this.file.files;
		if (!file)
			throw new Error(t('Choose the file first.'));
		if (file.size > LARGEST)
			throw new Error(t('The file is larger than any backup.'));
		let backup = null;
		try {
			backup = JSON.parse(await file.text());
		} catch {
			throw new Error(t('This file is no backup.'));
		}
		const job = await request('esim/restore', { method: 'POST', body: { backup, ...(values.passphrase ? { passphrase: values.passphrase } : {}) } });
		this._job = job.id;
		keeper.own(job);
		fill(this.outcome, el('p.remsim-muted', {}, t('Putting it back …')));
		store.takeJob(job);
	}

	_ended(job) {
		const { t, data } = this._ctx;
		this._job = null;
		fill(this.outcome, job.state === 'done' ? [el('p.remsim-good', {}, `✓ ${t('It is put back.')}`), resultNodes(job.result, t)] : el('p.remsim-problem', {}, sentence(job.error), ' ', sentence(job.hint)));
		data.soon();
	}
}
