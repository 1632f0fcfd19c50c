/** The picture of a profile, else its first letter. */

import { el } from './dom.js';

const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;

export class ProfileIcon {
	constructor({ icon, provider, name }) {
		const letter = [...(provider || name || '')].find(sign => /[\p{L}\p{N}]/u.test(sign)) || '·';
		this.root = typeof icon === 'string' && PICTURE.test(icon) ? el('img.remsim-esim-icon', { src: icon, alt: '', width: 40, height: 40 }) : el('span.remsim-esim-icon', { 'aria-hidden': 'true' }, letter.toUpperCase());
	}
}
