import json, os
def brief(f): return f.get("failed") and "FAILED "+f["failed"][:300]+" ... "+f["failed"][-300:] or json.dumps({k:(round(v,2) if isinstance(v,float) else v) for k,v in f.items() if not isinstance(v,dict)})
def save(out, r):
    os.makedirs(out, exist_ok=True); json.dump(r, open(out+"/results.json","w"), indent=1)
def text(r): return ""
