{
  "targets": [
    {
      "target_name": "pawl",
      "sources": ["addon.c", "record.c", "hash.c"],
      "defines": ["NAPI_VERSION=8"],
      "cflags": ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
      "cflags!": ["-O3", "-fno-omit-frame-pointer"],
      "ldflags": ["-Wl,-z,now"],
      "xcode_settings": {
        "OTHER_CFLAGS": ["-std=c11", "-Wall", "-Wextra", "-Werror"],
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES"
      }
    }
  ]
}
