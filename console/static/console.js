// Tooltips of charts: what a part says, under the pointer or the keyboard's focus. Without it the
// same words stand in the table below and are read by screen readers.
"use strict";
(() => {
  const tip = () => document.getElementById("tip");
  const show = (part) => {
    const box = part.getBoundingClientRect();
    const bubble = tip();
    bubble.textContent = part.dataset.tip;
    bubble.hidden = false;
    const wide = bubble.offsetWidth;
    const left = Math.min(Math.max(8, box.left + box.width / 2 - wide / 2), innerWidth - wide - 8);
    bubble.style.setProperty("left", `${left}px`);
    bubble.style.setProperty("top", `${Math.max(8, box.top - bubble.offsetHeight - 8)}px`);
  };
  const hide = () => { tip().hidden = true; };
  const part = (event) => event.target.closest?.("[data-tip]");
  for (const name of ["pointerover", "focusin"])
    document.addEventListener(name, (event) => { const found = part(event); if (found) show(found); });
  for (const name of ["pointerout", "focusout", "scroll"]) document.addEventListener(name, hide, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
})();
