// A file that cannot be taken is refused by its name and size, before its bytes travel.
(() => {
  async function judge(form) {
    const input = form.querySelector("input[type=file]");
    const body = new URLSearchParams();
    for (const file of input.files) {
      body.append("name", file.name);
      body.append("size", file.size);
    }
    const headers = { "HX-Request": "true", "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
    const answer = await fetch(form.dataset.judge, { method: "POST", body, headers, cache: "no-store" });
    const isRefused = answer.status === 422; // anything else is for the sending itself to say
    form.querySelector("[data-judged]").innerHTML = isRefused ? await answer.text() : "";
    form.querySelectorAll(".cp-field .cp-error:not([data-judged] *)").forEach((old) => old.remove());
    input.setAttribute("aria-invalid", String(isRefused));
    input.classList.toggle("is-invalid", isRefused);
    if (isRefused) input.focus();
    return !isRefused;
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-judge]");
    if (form && event.target.type === "file" && event.target.files.length) judge(form).catch(() => {});
  });
  document.addEventListener("beforeFiles", (event) => {
    if (event.target.matches("form[data-judge]")) event.detail.push(() => judge(event.target));
  });
})();
